// What Jupyter adds to the Debug Adapter Protocol for `debug_request` and `debug_reply`, in the form of the official declarations.
// https://jupyter-client.readthedocs.io/en/latest/messaging.html#debug-request, messaging protocol 5.5.
// Types that are not declared here are those of the Debug Adapter Protocol.
export declare namespace DebugProtocol {
  /** Makes a cell's code known as a source; value of command field is 'dumpCell'. */
  interface DumpCellRequest extends Request {
    // command: 'dumpCell';
    arguments: DumpCellArguments
  }

  interface DumpCellArguments {
    code: string
  }

  interface DumpCellResponse extends Response {
    body: {
      /** What breakpoints and frames of this cell have as their source's path. */
      sourcePath: string
    }
  }

  /** The debugger's state, for a client that (re)connects; value of command field is 'debugInfo'. Answered without a session, too. */
  interface DebugInfoRequest extends Request {
    // command: 'debugInfo';
  }

  interface DebugInfoResponse extends Response {
    body: {
      isStarted: boolean
      /** A cell's path is `tmpFilePrefix`, the hash of its code, `tmpFileSuffix`. */
      hashMethod: string
      hashSeed: number
      tmpFilePrefix: string
      tmpFileSuffix: string
      breakpoints: SourceBreakpoints[]
      stoppedThreads: number[]
      richRendering?: boolean
      exceptionPaths?: string[]
      copyToGlobals?: boolean
    }
  }

  interface SourceBreakpoints {
    /** A path. */
    source: string
    breakpoints: SourceBreakpoint[]
  }

  /** The variables of the namespace; value of command field is 'inspectVariables'. Answered without a session, too. */
  interface InspectVariablesRequest extends Request {
    // command: 'inspectVariables';
  }

  interface InspectVariablesResponse extends Response {
    body: {
      variables: Variable[]
    }
  }

  /** A variable in every form it can be shown in; value of command field is 'richInspectVariables'. */
  interface RichInspectVariablesRequest extends Request {
    // command: 'richInspectVariables';
    arguments: RichInspectVariablesArguments
  }

  interface RichInspectVariablesArguments {
    variableName: string
    /** Given while stopped. */
    frameId?: number
  }

  interface RichInspectVariablesResponse extends Response {
    body: {
      /** By MIME type. */
      data: { [key: string]: unknown }
      metadata: { [key: string]: unknown }
    }
  }

  /** Assigns a frame's variable to a global one; value of command field is 'copyToGlobals'. */
  interface CopyToGlobalsRequest extends Request {
    // command: 'copyToGlobals';
    arguments: CopyToGlobalsArguments
  }

  interface CopyToGlobalsArguments {
    srcVariableName: string
    srcFrameId: number
    dstVariableName: string
  }

  /** As of 'setExpression'. */
  interface CopyToGlobalsResponse extends Response {
    body: {
      value: string
      type?: string
      variablesReference?: number
      namedVariables?: number
      indexedVariables?: number
    }
  }
}
