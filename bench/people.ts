/**
 * Invented people, and CSV files with them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param group Different groups have nobody in common. */
export function inventEmails(group: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${group}.${String(index + 1).padStart(6, '0')}@people.example`);
}

/** @returns The path of the file. */
export function writePeople(folder: string, emails: readonly string[]): string {
  const file = join(folder, 'people.csv');
  const lines = emails.map((email, index) => `${email},Given ${index + 1},Family ${index + 1}\n`);
  writeFileSync(file, `Email,First Name,Last Name\n${lines.join('')}`);
  return file;
}
