import { describe, expect, test } from 'vitest';
import { readEmployment } from '../../../lambdas/core/employment.ts';

describe('what a status says of a person', () => {
  test.each([
    ...['Terminated', 'INACTIVE', 'inactive ', 'Disabled', 'Deactivated', 'SUSPENDED', 'DEPROVISIONED', 'Left'],
    ...['FALSE', 'false', 'No', 'N', '0', 'No longer employed', 'Not Active', 'not_active', 'Off-boarded'],
    ...['Retired', 'Resigned', 'Deceased', 'Archived', 'Ausgeschieden', 'Gekündigt', 'inaktiv', 'Inactif', 'Baja'],
    ...['\u00a0Terminated\u200b', 'ＦＡＬＳＥ'],
  ])('“%s”: gone', (cell) => {
    expect(readEmployment(cell)).toBe('gone');
  });

  test.each([
    ...['', ' ', 'Active', 'ACTIVE', 'TRUE', 'true', 'Yes', '1', 'Enabled', 'Employed', 'On Leave', 'Full-Time'],
    ...['part time', 'Contractor', 'STAGED', 'PASSWORD_EXPIRED', 'Locked Out', 'Member', 'Primary Owner', 'Aktiv'],
  ])('“%s”: there', (cell) => {
    expect(readEmployment(cell)).toBe('present');
  });

  test.each(['Zugvogel', 'Purple', 'Terminator', '7', '離職'])('“%s”: nothing is known of it', (cell) => {
    expect(readEmployment(cell)).toBe('not_known');
  });

  // A spreadsheet in another language writes FALSE so; a person who has left would be invited.
  test.each(['FALSCH', 'FAUX', 'FALSO', 'ONWAAR', 'Nein', 'Non'])('“%s”: gone', (cell) => {
    expect(readEmployment(cell)).toBe('gone');
  });

  // Values that HR systems really write, with the reason or the group behind the word.
  test.each([
    ...['Terminated - Voluntary', 'Terminated (involuntary)', 'Terminated Employee', 'Inactive - Terminated', 'Termed'],
    ...['Former Employee', 'Ex-Employee', 'Left Company', 'Laid off', 'Not employed', 'Account disabled', 'non-active'],
    ...['Ausgetreten', 'Nicht aktiv', 'Licencié', 'Cessato', 'Desligado', 'Uit dienst', 'De baja'],
  ])('“%s”: gone', (cell) => {
    expect(readEmployment(cell)).toBe('gone');
  });
});
