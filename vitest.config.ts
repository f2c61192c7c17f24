import { defineConfig } from 'vitest/config'

const report = process.env.KUBESYNC_TEST_REPORT

export default defineConfig({
  define: { KUBESYNC_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['src/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/support/global.ts',
          // In a sandbox of their own, two files at a time do not disturb each other.
          maxWorkers: process.env.KUBESYNC_TEST_ON === 'cluster' ? 1 : 2,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: 'test/contract/support/global.ts',
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
