import type { Capabilities } from './protocol.ts'

/**
 * What llmspell's debug adapter can, whatever it debugs: the answer to `initialize`, also of a proxy that has no kernel yet. What only
 * some engines can (`supportsStepBack`) comes later, in a `capabilities` event.
 */
export const adapterCapabilities: Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsBreakpointLocationsRequest: true,
  exceptionBreakpointFilters: [
    {
      filter: 'uncaught',
      label: 'Uncaught errors',
      description: 'Stops where an error is raised that nothing will catch.',
      default: true,
      supportsCondition: true,
      conditionDescription: 'An expression; stops when it is true where the error is raised.',
    },
    {
      filter: 'caught',
      label: 'Caught errors',
      description: 'Stops where an error is raised that the script will catch.',
      default: false,
      supportsCondition: true,
      conditionDescription: 'An expression; stops when it is true where the error is raised.',
    },
    {
      filter: 'tool',
      label: 'Errors of tools',
      description: 'Stops at calls of tools that fail.',
      default: false,
      supportsCondition: true,
    },
    {
      filter: 'provider',
      label: 'Errors of providers',
      description: 'Stops at calls of model providers that fail.',
      default: false,
      supportsCondition: true,
    },
  ],
  supportsExceptionFilterOptions: true,
  supportsExceptionInfoRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsRestartFrame: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsEvaluateForHovers: true,
  supportsClipboardContext: true,
  supportsValueFormattingOptions: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ['.', ':', '['],
  supportsLoadedSourcesRequest: true,
  supportsModulesRequest: true,
  supportsReadMemoryRequest: true,
  supportsRestartRequest: true,
  supportsTerminateRequest: true,
  supportTerminateDebuggee: true,
  supportSuspendDebuggee: true,
  supportsCancelRequest: true,
}
