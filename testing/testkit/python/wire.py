"""A Jupyter client that hides nothing: frames as they are on the sockets, on pyzmq alone."""
import hashlib
import hmac
import json
import time
import uuid
from datetime import datetime, timezone

import zmq

DELIMITER = b'<IDS|MSG>'
VERSION = '5.3'


class WireError(AssertionError):
    pass


class Message:
    """A message that came, its signature checked."""

    __slots__ = ('idents', 'header', 'parent', 'metadata', 'content', 'buffers', 'at')

    def __init__(self, frames, sign):
        self.at = time.perf_counter()
        try:
            cut = frames.index(DELIMITER)
        except ValueError:
            raise WireError(f'no delimiter in {frames!r}')
        self.idents = frames[:cut]
        parts = frames[cut + 2:cut + 6]
        if len(parts) < 4:
            raise WireError(f'{len(parts)} parts after the signature')
        if frames[cut + 1] != sign(parts):
            raise WireError(f'bad signature of {parts[0]!r}')
        self.header, self.parent, self.metadata, self.content = map(json.loads, parts)
        self.buffers = frames[cut + 6:]

    @property
    def type(self):
        return self.header['msg_type']

    def __repr__(self):
        content = repr(self.content)
        return f'<{self.type} {content[:300]}{"…" if len(content) > 300 else ""}>'


class Exchange:
    """A reply and what was published for it, from busy to idle."""

    def __init__(self):
        self.reply = None
        self.published = []
        self.requests = []  # on stdin

    @property
    def content(self):
        return self.reply.content

    @property
    def status(self):
        return self.reply.content.get('status')

    def of(self, kind):
        return [m for m in self.published if m.type == kind]

    @property
    def types(self):
        return [m.type for m in self.published]

    def stream(self, name='stdout'):
        return ''.join(m.content['text'] for m in self.of('stream') if m.content['name'] == name)

    @property
    def result(self):
        results = self.of('execute_result')
        return results[0].content['data'].get('text/plain') if results else None

    def __repr__(self):
        return f'{self.reply!r} {self.published!r}'


class Client:
    """One session with one kernel. `connection` is the connection file's content or its path."""

    def __init__(self, connection, subscribe=True, identity=None, alive=lambda: True):
        self.alive = alive
        if isinstance(connection, str):
            with open(connection) as file:
                connection = json.load(file)
        self.connection = connection
        self.key = connection['key'].encode()
        self.digest = {'hmac-sha256': hashlib.sha256, 'hmac-sha512': hashlib.sha512}[connection.get('signature_scheme', 'hmac-sha256')]
        self.session = uuid.uuid4().hex
        self.identity = identity or uuid.uuid4().bytes
        self.count = 0
        self.strays = []  # published for others, or for nobody
        self.late = []  # published after the idle of what it belongs to
        self.done = set()
        self.context = zmq.Context.instance()
        self.sockets = {}
        if subscribe:
            iopub = self._socket(zmq.SUB, 'iopub')
            iopub.setsockopt(zmq.SUBSCRIBE, b'')  # before connecting, or the first messages may be missed
            iopub.connect(self.address('iopub'))
        self.poller = zmq.Poller()
        if subscribe:
            self.poller.register(iopub, zmq.POLLIN)
        for channel in ('shell', 'control', 'stdin'):
            self.socket(channel)
            self.poller.register(self.sockets[channel], zmq.POLLIN)

    def address(self, channel):
        port = self.connection[f'{channel}_port']
        if self.connection.get('transport', 'tcp') == 'ipc':
            return f"ipc://{self.connection['ip']}-{port}"
        return f"tcp://{self.connection['ip']}:{port}"

    def _socket(self, kind, channel):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.sndhwm = 0
        socket.reconnect_ivl = 1  # the default of 100 ms would round what a start takes
        socket.reconnect_ivl_max = 20
        self.sockets[channel] = socket
        return socket

    def socket(self, channel):
        if channel not in self.sockets:
            socket = self._socket(zmq.DEALER if channel != 'hb' else zmq.REQ, channel)
            if channel != 'hb':
                socket.identity = self.identity
            socket.connect(self.address(channel))
        return self.sockets[channel]

    def sign(self, parts):
        if not self.key:
            return b''
        mac = hmac.new(self.key, digestmod=self.digest)
        for part in parts:
            mac.update(part)
        return mac.hexdigest().encode()

    def header(self, kind):
        self.count += 1
        return {'msg_id': f'{self.session}_{self.count}', 'session': self.session, 'username': 'tester', 'date': datetime.now(timezone.utc).isoformat(),
                'msg_type': kind, 'version': VERSION}

    def frames(self, header, content, metadata=None, parent=None, buffers=()):
        parts = [json.dumps(part).encode() for part in (header, parent or {}, metadata or {}, content)]
        return [DELIMITER, self.sign(parts), *parts, *buffers]

    def send(self, channel, kind, content=None, metadata=None, parent=None, buffers=()):
        header = self.header(kind)
        self.socket(channel).send_multipart(self.frames(header, {} if content is None else content, metadata, parent, buffers))
        return header['msg_id']

    def receive(self, channel, timeout=10.0):
        """The next message of a channel, or None."""
        if not self.socket(channel).poll(timeout * 1000):
            return None
        return Message(self.sockets[channel].recv_multipart(), self.sign)

    def collect(self, msg_id, timeout=30.0, channel='shell', answer=None, on_message=None, idle=True):
        """Everything that belongs to a request which was sent, until both its reply and its idle have come."""
        exchange = Exchange()
        end = time.monotonic() + timeout
        is_idle = not idle or 'iopub' not in self.sockets
        for message in [m for m in self.strays if m.parent.get('msg_id') == msg_id]:  # came while another request was waited for
            self.strays.remove(message)
            if message.type.endswith('_reply') and message.type != 'shutdown_reply':
                exchange.reply = message
            else:
                exchange.published.append(message)
                is_idle = is_idle or (message.type == 'status' and message.content['execution_state'] == 'idle')
        while exchange.reply is None or not is_idle:
            left = end - time.monotonic()
            ready = dict(self.poller.poll(max(0, min(left, 1) * 1000)))
            if not ready and left > 1:
                if not self.alive():
                    raise WireError(f'the kernel ended before the reply to {msg_id}; so far {exchange!r}')
                continue
            if not ready:
                raise WireError(f'waited {timeout} s for {"the idle of " if exchange.reply else "the reply to "}{msg_id}; so far {exchange!r}; strays {self.strays[-5:]!r}')
            for name, socket in list(self.sockets.items()):
                if socket not in ready:
                    continue
                message = Message(socket.recv_multipart(), self.sign)
                mine = message.parent.get('msg_id') == msg_id
                if name == 'iopub':
                    if not mine:
                        (self.late if message.parent.get('msg_id') in self.done else self.strays).append(message)
                        continue
                    if is_idle and idle:
                        raise WireError(f'published after idle: {message!r}')
                    exchange.published.append(message)
                    if on_message:
                        on_message(message)
                    is_idle = message.type == 'status' and message.content['execution_state'] == 'idle'
                elif name == 'stdin':
                    exchange.requests.append(message)
                    if answer is None:
                        raise WireError(f'unexpected {message!r}')
                    self.send('stdin', 'input_reply', {'status': 'ok', 'value': answer(message)}, parent=message.header)
                elif name == channel and mine:
                    if exchange.reply is not None:
                        raise WireError(f'a second reply: {message!r}')
                    exchange.reply = message
                else:
                    self.strays.append(message)
        self.done.add(msg_id)
        return exchange

    def request(self, kind, content=None, channel='shell', metadata=None, buffers=(), **more):
        return self.collect(self.send(channel, kind, content, metadata, buffers=buffers), channel=channel, **more)

    def ask_execute(self, code, channel='shell', metadata=None, **content):
        full = {'code': code, 'silent': False, 'store_history': True, 'user_expressions': {}, 'allow_stdin': False, 'stop_on_error': True, **content}
        return self.send(channel, 'execute_request', full, metadata)

    def execute(self, code, timeout=30.0, answer=None, on_message=None, metadata=None, **content):
        if answer is not None:
            content.setdefault('allow_stdin', True)
        return self.collect(self.ask_execute(code, metadata=metadata, **content), timeout=timeout, answer=answer, on_message=on_message)

    def ready(self, timeout=30.0):
        """Waits until the kernel answers and its publications arrive here; returns the kernel_info_reply."""
        end = time.monotonic() + timeout
        while True:
            msg_id = self.send('shell', 'kernel_info_request')
            reply = None
            published = False
            round_end = min(end, time.monotonic() + 1)
            while time.monotonic() < round_end and not (reply and published):
                for name in ('shell', 'iopub'):
                    if name in self.sockets:
                        message = self.receive(name, 0.02 if name == 'iopub' or not reply else 0)
                        if message is None:
                            continue
                        if message.parent.get('msg_id') == msg_id:
                            if name == 'shell':
                                reply = message
                            elif message.type == 'status' and message.content['execution_state'] == 'idle':
                                published = True
                        elif name == 'iopub' and message.type == 'iopub_welcome':
                            self.strays.append(message)
                    else:
                        published = True
            if reply and published:
                self.drain()
                return reply
            if not self.alive():
                raise WireError('the kernel ended')
            if time.monotonic() > end:
                raise WireError(f'no {"publication" if reply else "reply"} of the kernel in {timeout} s')

    def drain(self, quiet=0.1):
        """Takes what comes until nothing came for `quiet` seconds."""
        while True:
            ready = dict(self.poller.poll(quiet * 1000))
            if not ready:
                return
            for name, socket in list(self.sockets.items()):
                if socket in ready:
                    message = Message(socket.recv_multipart(), self.sign)
                    if name == 'iopub' and message.parent.get('msg_id') in self.done:
                        self.late.append(message)
                    else:
                        self.strays.append(message)

    def heartbeat(self, timeout=5.0):
        """Seconds that an echo takes."""
        socket = self.socket('hb')
        began = time.perf_counter()
        socket.send(b'ping')
        if not socket.poll(timeout * 1000):
            socket.close()
            del self.sockets['hb']
            raise WireError(f'no heartbeat in {timeout} s')
        assert socket.recv() == b'ping'
        return time.perf_counter() - began

    def close(self):
        for socket in self.sockets.values():
            socket.close(0)
        self.sockets = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
