import type { KernelStatusReply } from '@llmspell/jupyter'
import type { CatalogueModule } from '@llmspell/script/catalogue'

/** The `Kernel` global. `status` is asked at each call: the kernel does not exist yet when its catalogue is made. */
export function kernelModule(status: () => KernelStatusReply, languages: readonly string[]): CatalogueModule {
  return {
    name: 'Kernel',
    doc: 'The kernel that runs this code.',
    functions: [
      {
        name: 'info',
        doc: 'What the kernel is and how it does.',
        parameters: [],
        result: {
          type: 'object',
          doc: 'facts of this moment',
          fields: [
            { name: 'id', type: 'string', doc: 'its name, as `llmspell kernel list` shows it' },
            { name: 'pid', type: 'integer', doc: 'its process' },
            { name: 'version', type: 'string', doc: 'of llmspell' },
            { name: 'language', type: 'string', doc: 'of code that does not say which it is in' },
            { name: 'languages', type: 'array', doc: 'all it speaks' },
            { name: 'cwd', type: 'string', doc: 'where it was started' },
            { name: 'started', type: 'string', doc: 'when, as ISO 8601' },
            { name: 'uptime', type: 'number', doc: 'seconds since then' },
            { name: 'memory', type: 'integer', doc: 'resident bytes of the kernel process' },
            { name: 'clients', type: 'integer', doc: 'programs that are connected' },
            { name: 'counters', type: 'object', doc: 'what it counted, by name' },
          ],
        },
        sync: true,
        examples: {
          lua: 'local info = Kernel.info()\nprint(info.id, info.version, info.uptime)',
          javascript: '(await Kernel.info()).version',
        },
        run() {
          const { record, uptime, rss_bytes, clients, counters } = status()
          const { id, pid, version, language, cwd, startedAt } = record
          return {
            id,
            pid,
            version,
            language,
            languages: [...languages],
            cwd,
            started: startedAt,
            uptime: uptime / 1000,
            memory: rss_bytes,
            clients,
            counters,
          }
        },
      },
    ],
  }
}
