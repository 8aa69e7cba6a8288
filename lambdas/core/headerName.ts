/**
 * The words of a column's header, whatever the system that wrote it.
 */

/**
 * Gives the words in lower case, without accents. What stands in brackets, stars and “Required” are not part of a name:
 * `Email Address [Required]`, `E-Mail*` and `emailAddress` are all `email address`.
 */
export function headerWords(header: string): readonly string[] {
  return allHeaderWords(header.replace(/\[[^\]]*\]|\([^)]*\)/gu, ' '));
}

/** The same, with the words in brackets: they may say whose column it is. */
export function allHeaderWords(header: string): readonly string[] {
  return header
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(
      /(?<![\p{L}\p{N}])e[\s_-]?(?:mails?(?![\p{L}\p{N}])|mail(?=addr|adr)|posta(?![\p{L}\p{N}])|post)/gu,
      'email',
    )
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && word !== 'required');
}

/** The words run together. */
export function headerKey(header: string): string {
  return headerWords(header).join('');
}
