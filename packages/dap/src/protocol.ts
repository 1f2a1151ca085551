import type {
  Command,
  EventName,
  Events,
  Event as GeneralEvent,
  Request as GeneralRequest,
  Requests,
  ReverseCommand,
  ReverseRequests,
} from './protocol.generated.ts'

export type * from './protocol.generated.ts'

interface AllRequests extends Requests, ReverseRequests {}

export type AnyCommand = Command | ReverseCommand
export type ArgumentsOf<C extends AnyCommand> = AllRequests[C]['arguments']
/** Body of the response to a request that succeeded. */
export type BodyOf<C extends AnyCommand> = AllRequests[C]['body']

/** A request whose command is known: `RequestOf<'setBreakpoints'>`. */
export type RequestOf<C extends AnyCommand> = GeneralRequest & { command: C; arguments: ArgumentsOf<C> }
/** An event that is known: `EventOf<'stopped'>`; `EventOf<EventName>` is told apart by `event`. */
export type EventOf<E extends EventName> = { [N in E]: GeneralEvent & { event: N; body: Events[N] } }[E]
