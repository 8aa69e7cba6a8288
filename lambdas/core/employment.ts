/**
 * Whether a row is of somebody who has left or is disabled, as exports of HR systems and directories say it.
 */

/** Words that say that a person is gone, wherever they stand in a cell. */
const goneAnywhere = words(`
  terminated termination inactive disabled deactivated deactive suspended deprovisioned leaver former resigned retired retiree
  offboarded offboarding archived deleted discarded dismissed deceased separated ausgeschieden ausgetreten inaktiv deaktiviert
  gekundigt kundigung fired inactif inactivo inattivo cesado licencie cessato sorti termed desligado bot
`);
/** Whole cells that say so, run together. */
const goneWhole = words(`
  left leftcompany leftthecompany laidoff notactive notemployed nonactive nolongeremployed nolongeractive nichtaktiv blocked
  withdrawn unassigned exited exemployee baja debaja uitdienst parti partie out quit
  gone ended expired cancelled canceled termine nolongerwithcompany nolongerwiththecompany
  false no n 0 falsch faux falso onwaar nein non nei nee nie
`);

/** Values that say that a person is there; what is in no list is taken for active, and reported once. */
const present = words(`
  active enabled true yes y 1 a employed current present working onleave leave leaveofabsence loa parentalleave maternityleave
  paidleave gardenleave sickleave furloughed sabbatical fulltime parttime contractor external temporary permanent probation
  intern trainee apprentice onboarding prehire hired joined accepted staged provisioned passwordexpired lockedout recovery passwordreset invited
  invitedmember pending member admin owner primaryowner workspaceowner workspaceadmin workspaceprimaryowner guest
  multichannelguest singlechannelguest user regular wahr vrai vero ja oui si waar aktiv actif active activo attivo ativo
  beurlaubt elternzeit ruhend mutterschutz
`);

export type Employment = 'gone' | 'present' | 'not_known';

export function readEmployment(cell: string): Employment {
  const found = wordsOf(cell);
  const whole = found.join('');
  if (cell.trim() === '' || present.has(whole)) return 'present';
  // A dash or a cross: who knows. “Never terminated” is no termination, and says no more than that.
  if (whole === '' || found[0] === 'never') return 'not_known';
  if (goneWhole.has(whole) || found.some((word) => goneAnywhere.has(word)) || goneAnywhere.has(whole)) return 'gone';
  return 'not_known';
}

const noWords = words('false no n 0 falsch faux falso onwaar nein non nei nee nie never');

/** Whether a cell says anything but no, as in a column named “Terminated”, where a date says it, too. */
export function saysYes(cell: string): boolean {
  const whole = wordsOf(cell).join('');
  return whole !== '' && !noWords.has(whole);
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/u));
}

function wordsOf(cell: string): string[] {
  return cell
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
