/**
 * Texts that something obeys instead of showing them, each with a mark by which it is found again.
 */

export const mark = 'zqx';

export const hostileTexts: Readonly<Record<string, string>> = {
  formula: `=HYPERLINK("http://evil.example/${mark}","click")`,
  'formula behind blanks': `  =1+${mark}`,
  'formula in full width': `\uff1d1+${mark}`,
  'formula with a plus': `+${mark}|' /C calc'!A0`,
  'formula with a minus': `-2+3+cmd|' /C calc'!${mark}`,
  'formula with an at sign': `@SUM(${mark})`,
  'formula behind a tab': `\t=${mark}`,
  'formula behind a carriage return': `\r=${mark}`,
  'formula behind what cannot be seen': `\u0000\u200b=${mark}`,
  'formula behind a quote': `"=${mark}`,
  script: `<script>alert('${mark}')</script>`,
  attribute: `" onmouseover="alert('${mark}')`,
  entity: `&lt;b&gt;${mark}`,
  comment: `--><img src=x onerror=${mark}>`,
  'line of a log': `${mark}"}\n{"level":"ERROR","message":"${mark}","jobId":"x"}`,
  'terminal title': `\u001b]0;${mark}\u0007`,
  'terminal colour': `\u001b[31m${mark}\u001b[2J`,
  'terminal escape of C1': `\u009b31m${mark}\u009d0;${mark}\u009c`,
  'terminal line wiped': `\r\u001b[K${mark}\b\b\b`,
  'written backwards': `\u202e${mark}\u202c`,
  isolate: `\u2067${mark}\u2069`,
  'line separator': `${mark}\u2028${mark}\u2029`,
  template: `\${${mark}} {{${mark}}} $(touch ${mark}) \`touch ${mark}\``,
  path: `../../../${mark}`,
  nul: `${mark}\u0000${mark}`,
  prototype: `__proto__ ${mark}`,
};

/** What a terminal, a browser or an editor obeys. A line feed between the lines of a text is none of it. */
export const obeyed = /[^\P{Cc}\n]|\p{Bidi_Control}|[\u2028\u2029]/u;
