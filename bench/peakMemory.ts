/**
 * Loaded into a measured process before its own code (`node --import`): as the process ends, it writes its peak memory in
 * bytes into the file that PEAK_MEMORY_FILE names.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const file = process.env['PEAK_MEMORY_FILE'];
if (file !== undefined) process.on('exit', () => writeFileSync(file, String(peakMemoryBytes())));

/**
 * Linux counts the memory that the starting process had towards a new process's `maxRSS`, so there the peak comes from
 * `VmHWM`, which begins with the program. Source: the manual pages getrusage(2) and proc_pid_status(5).
 */
function peakMemoryBytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kibibytes = /^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1];
  return (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes)) * 1024;
}
