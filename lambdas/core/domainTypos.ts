/**
 * Well-known typing mistakes in the domain of an address. What is meant is suggested, and never put in its place.
 */

const providers = new Map(
  Object.entries({
    'gmial.com': 'gmail.com',
    'gmai.com': 'gmail.com',
    'gamil.com': 'gmail.com',
    'gnail.com': 'gmail.com',
    'gmaill.com': 'gmail.com',
    'gmal.com': 'gmail.com',
    'gmail.co': 'gmail.com',
    'gmail.cm': 'gmail.com',
    'googlemail.co': 'googlemail.com',
    'hotmial.com': 'hotmail.com',
    'hotmal.com': 'hotmail.com',
    'hotmai.com': 'hotmail.com',
    'hotmail.co': 'hotmail.com',
    'outlok.com': 'outlook.com',
    'outloo.com': 'outlook.com',
    'outlook.co': 'outlook.com',
    'yaho.com': 'yahoo.com',
    'yahooo.com': 'yahoo.com',
    'yhaoo.com': 'yahoo.com',
    'iclod.com': 'icloud.com',
    'icloud.co': 'icloud.com',
  }),
);

/** Endings that do not exist. Source: the root zone database of IANA has none of them. */
const endings = new Map(
  Object.entries({
    con: 'com',
    cmo: 'com',
    ocm: 'com',
    comm: 'com',
    coom: 'com',
    vom: 'com',
    xom: 'com',
    nte: 'net',
    ent: 'net',
    nett: 'net',
    ogr: 'org',
    rog: 'org',
    orgg: 'org',
  }),
);

/** @param domain In lower case. Undefined where it looks all right. */
export function suggestDomain(domain: string): string | undefined {
  const provider = providers.get(domain);
  if (provider !== undefined) return provider;
  const dot = domain.lastIndexOf('.');
  const ending = endings.get(domain.slice(dot + 1));
  return ending === undefined ? undefined : `${domain.slice(0, dot + 1)}${ending}`;
}
