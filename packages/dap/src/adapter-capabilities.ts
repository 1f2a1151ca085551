import type * as Dap from './protocol.ts'

/** What llmspell's debugger can, as its `initialize` answers: known before there is a kernel to ask. */
export const adapterCapabilities: Dap.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsCancelRequest: true,
}
