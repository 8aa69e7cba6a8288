import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Starting the embedded services or the command takes seconds on a busy machine of two cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that are marked as concurrent mostly wait.
    maxConcurrency: 20,
  },
});
