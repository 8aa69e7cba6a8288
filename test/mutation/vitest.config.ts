/**
 * The tests that a mutant meets: all of units, and a few simulated worlds.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/unit/**/*.test.ts', 'test/mutation/*.spec.ts'], testTimeout: 60_000 },
});
