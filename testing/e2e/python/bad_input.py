"""Bad input at the sockets: the kernel answers or drops it with a log line, and lives."""
import json
import os
import random
import socket
import struct
import time
import unittest

import suite
import zmq
from kernels import Kernel
from wire import DELIMITER, Client

argv = json.loads(os.environ.get('KERNEL_ARGV', '[]'))
language = os.environ.get('KERNEL_LANGUAGE', 'lua')
lua = language == 'lua'
MIB = 2**20
QUICK = 15


class BadInput(unittest.TestCase):
    """One kernel bears all of it. Every test ends with a proof of life."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel([*argv, '--language', language, '--started-by', 'foreground'])
        cls.addClassCleanup(cls.kernel.stop)
        cls.client = cls.kernel.client()
        cls.client.ready(60)
        cls.client.execute('6 * 7')
        cls.rss = cls.kernel.memory()

    def setUp(self):
        self.client.drain(0.05)
        self.client.strays.clear()

    def tearDown(self):
        self.assertTrue(self.kernel.alive(), f'it died: {self.kernel.printed()[-3000:]}')
        with self.kernel.client() as fresh:
            fresh.ready(30)
            self.assertEqual(fresh.execute('6 * 7', timeout=QUICK).result, '42')
            fresh.heartbeat(QUICK)
            self.assertEqual(fresh.request('kernel_info_request', channel='control', timeout=QUICK).status, 'ok')
        self.client.execute('kept = 41' if lua else 'var kept = 41', timeout=QUICK)
        self.assertEqual(self.client.execute('kept + 1', timeout=QUICK).result, '42')

    def send(self, frames, channel='shell'):
        self.client.socket(channel).send_multipart(frames)

    def signed(self, parts):
        return [DELIMITER, self.client.sign(parts), *parts]

    def parts(self, kind='kernel_info_request', content=None, **header):
        return [json.dumps(part).encode() for part in ({**self.client.header(kind), **header}, {}, {}, {} if content is None else content)]

    def nothing_comes(self, seconds=0.4):
        for channel in ('shell', 'control'):
            message = self.client.receive(channel, seconds)
            self.assertIsNone(message, 'an answer to what must be dropped')

    def logged(self, *words):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if any(word in self.kernel.printed() for word in words):
                return
            time.sleep(0.1)
        self.fail(f'none of {words} in its log: {self.kernel.printed()[-2000:]}')

    # signatures

    def test_wrong_signature(self):
        for channel in ('shell', 'control', 'stdin'):
            for signature in (b'0' * 64, b'', b'x', b'\xff' * 64, self.client.sign([b'{}'] * 4), b'0' * 10_000):
                self.send([DELIMITER, signature, *self.parts('execute_request', {'code': 'pwned = true'})], channel)
        self.nothing_comes()
        self.assertNotEqual(self.client.execute('tostring(pwned)' if lua else 'globalThis.pwned').result, 'true')
        self.logged('signature')

    def test_signature_of_other_parts(self):
        parts = self.parts('execute_request', {'code': '1'})
        signature = self.client.sign(parts)
        for i in range(4):
            changed = list(parts)
            changed[i] += b' '
            self.send([DELIMITER, signature, *changed])
        self.nothing_comes()

    def test_signature_in_capitals(self):
        # it is text, compared as it stands
        parts = self.parts()
        self.send([DELIMITER, self.client.sign(parts).upper(), *parts])
        self.nothing_comes()

    def test_replay(self):
        parts = self.parts('execute_request', {'code': 'replayed = (replayed or 0) + 1' if lua else 'globalThis.replayed = (globalThis.replayed ?? 0) + 1'})
        for _ in range(5):
            self.send(self.signed(parts))
        self.client.drain(0.4)
        self.assertEqual(self.client.execute('replayed').result, '1')
        self.logged('replay', 'duplicate', 'signature')

    def test_replay_by_another_client(self):
        parts = self.parts('execute_request', {'code': 'replayed2 = (replayed2 or 0) + 1' if lua else 'globalThis.replayed2 = (globalThis.replayed2 ?? 0) + 1'})
        self.send(self.signed(parts))
        with self.kernel.client() as other:
            other.socket('shell').send_multipart(self.signed(parts))
            other.socket('control').send_multipart(self.signed(parts))
            time.sleep(0.4)
        self.client.drain(0.2)
        self.assertEqual(self.client.execute('replayed2').result, '1')

    # frames

    def test_truncated_multipart(self):
        whole = self.signed(self.parts('execute_request', {'code': '1'}))
        for channel in ('shell', 'control', 'stdin'):
            for count in range(1, len(whole)):
                self.send(whole[:count], channel)
            for start in range(1, len(whole)):
                self.send(whole[start:], channel)
            for frames in ([b''], [b'', b''], [DELIMITER], [DELIMITER] * 10, [b'x'] * 1000, [b'\0' * 1000]):
                self.send(frames, channel)
        self.nothing_comes()

    def test_many_identities_before_the_delimiter(self):
        self.send([b'a', b'b', b'c', *self.signed(self.parts())])
        self.client.drain(0.3)

    def test_buffers_where_none_are_wanted(self):
        self.send([*self.signed(self.parts()), *[b'x' * 1000] * 100])
        self.assertEqual(self.client.receive('shell', QUICK).content['status'], 'ok')

    # json

    def test_invalid_json(self):
        bad = [b'{', b'', b'null', b'[]', b'"text"', b'1', b'\xff\xfe', b'{"a":}', b'nul', b'[' * 100_000, b'{"a":' * 50_000, b'1e999', b'{}{}', b'\0']
        for channel in ('shell', 'control', 'stdin'):
            for position in range(4):
                for value in bad:
                    parts = self.parts('execute_request', {'code': '1'})
                    parts[position] = value
                    self.send(self.signed(parts), channel)
        self.client.drain(0.5)

    def test_invalid_json_in_the_content_of_a_request_is_answered(self):
        for value in (b'{', b'null', b'[]', b'"text"', b'\xff\xfe'):
            with self.subTest(value=value):
                parts = self.parts('execute_request')
                parts[3] = value
                msg_id = json.loads(parts[0])['msg_id']
                self.send(self.signed(parts))
                reply = self.client.receive('shell', 3)
                # dropping it is allowed, silence of the log is not
                if reply is None:
                    self.logged('JSON', 'json', 'content', 'message')
                else:
                    self.assertEqual((reply.content['status'], reply.parent['msg_id']), ('error', msg_id))
                self.client.drain(0.05)

    def test_names_that_mean_something_to_javascript(self):
        for kind in ('__proto__', 'constructor', 'toString', 'hasOwnProperty', '__proto___request', 'constructor_request'):
            for channel in ('shell', 'control'):
                self.client.send(channel, kind, {'__proto__': {'polluted': True}, 'constructor': {'prototype': {'polluted': True}}})
        parts = self.parts('execute_request')
        parts[3] = b'{"code":"1","__proto__":{"silent":true},"user_expressions":{"__proto__":"1","constructor":"2"}}'
        self.send(self.signed(parts))
        self.client.drain(0.5)

    # fields

    FIELDS = {
        'execute_request': {'code': '1', 'silent': False, 'store_history': False, 'user_expressions': {}, 'allow_stdin': False, 'stop_on_error': True},
        'complete_request': {'code': 'pri', 'cursor_pos': 3},
        'inspect_request': {'code': 'print', 'cursor_pos': 5, 'detail_level': 0},
        'is_complete_request': {'code': '1'},
        'history_request': {'output': False, 'raw': True, 'hist_access_type': 'tail', 'n': 1, 'session': 0, 'start': 0, 'stop': 1, 'pattern': '*', 'unique': False},
        'comm_info_request': {'target_name': 'x'},
        'shutdown_request': {'restart': False},
        'interrupt_request': {},
        'kernel_info_request': {},
    }
    WRONG = [None, True, 0, -1, 1.5, 1e300, 2**70, '', 'text', [], [1], {}, {'a': 1}, [[[]]], 'x' * 100_000]

    def test_wrong_types_in_every_field_are_answered(self):
        for kind, fields in self.FIELDS.items():
            channel = 'control' if kind in ('shutdown_request', 'interrupt_request') else 'shell'
            for field in fields:
                with self.subTest(kind=kind, field=field):
                    for value in self.WRONG:
                        if kind == 'execute_request' and field == 'code' and isinstance(value, str):
                            continue
                        if kind == 'shutdown_request' and value is True:
                            continue
                        exchange = self.client.request(kind, {**fields, field: value}, channel=channel, timeout=QUICK)
                        self.assertIn(exchange.status, ('ok', 'error', 'complete', 'incomplete', 'invalid', 'unknown'), (value, exchange))
                        if exchange.status == 'error':
                            self.assertTrue(exchange.content['evalue'], (value, exchange))

    def test_missing_code_is_an_error_that_names_the_field(self):
        for kind in ('execute_request', 'complete_request', 'inspect_request', 'is_complete_request'):
            with self.subTest(kind=kind):
                exchange = self.client.request(kind, {}, timeout=QUICK)
                self.assertEqual(exchange.status, 'error')
                self.assertIn('code', exchange.content['evalue'])

    def test_wrong_types_in_metadata_are_answered(self):
        for value in self.WRONG:
            for metadata in ({'llmspell': value}, {'llmspell': {'language': value}}, {'llmspell': {'namespace': value}}, {'llmspell': {'args': value}},
                             {'llmspell': {'cwd': value}}, {'llmspell': {'source': value}}):
                with self.subTest(metadata=str(metadata)[:100]):
                    exchange = self.client.execute('1', metadata=metadata, timeout=QUICK)
                    self.assertIn(exchange.status, ('ok', 'error'))

    def test_wrong_headers(self):
        for field in ('msg_id', 'session', 'username', 'date', 'msg_type', 'version'):
            for value in self.WRONG:
                self.send(self.signed(self.parts(**{field: value})))
                self.send(self.signed(self.parts(**{field: value})), 'control')
            header = self.client.header('kernel_info_request')
            del header[field]
            self.send(self.signed([json.dumps(header).encode(), b'{}', b'{}', b'{}']))
        self.client.drain(0.5)

    def test_comms_of_any_shape(self):
        for kind in ('comm_open', 'comm_msg', 'comm_close'):
            for value in self.WRONG:
                for field in ('comm_id', 'target_name', 'data'):
                    self.client.send('shell', kind, {'comm_id': 'c', 'target_name': 't', 'data': {}, field: value})
        self.client.drain(0.5)

    def test_stdin_answers_of_any_shape(self):
        for value in self.WRONG:
            self.client.send('stdin', 'input_reply', {'value': value})
            self.client.send('stdin', 'input_reply', value)
        self.client.drain(0.2)

    # size

    def test_a_message_of_100_megabytes(self):
        code = ('--' if lua else '//') + 'x' * (100 * MIB) + '\n42'
        self.client.ask_execute(code)
        del code
        reply = self.client.receive('shell', 60)
        if reply is None:
            self.logged('at most')  # too large is dropped, with its connection, and the log tells the limit
        elif reply.content['status'] != 'ok':
            self.assertTrue(reply.content['evalue'])
        self.client.drain(0.5)

    def test_a_cell_of_20_megabytes_runs(self):
        code = ('--' if lua else '//') + 'x' * (20 * MIB) + '\n6 * 7'
        self.assertEqual(self.client.execute(code, timeout=120).result, '42')

    def test_garbage_of_100_megabytes(self):
        block = bytes(100 * MIB)
        self.send([block])
        self.send([DELIMITER, b'0' * 64, block, b'{}', b'{}', b'{}'])
        self.send([DELIMITER, b'0' * 64, b'{}', b'{}', b'{}', b'{}', block])
        self.client.drain(2)

    def test_memory_is_given_back(self):
        time.sleep(2)
        for _ in range(20):
            self.client.execute('1')
        after = self.kernel.memory()
        self.assertLess(after, self.rss + 700 * MIB, f'{self.rss // MIB} MiB before, {after // MIB} MiB after')

    # below the messages

    def raw(self, channel='shell'):
        s = socket.create_connection(('127.0.0.1', self.kernel.connection[f'{channel}_port']), timeout=5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def say(self, data, channel='shell', close=True):
        s = self.raw(channel)
        try:
            s.sendall(data)
            s.settimeout(0.3)
            try:
                while s.recv(65536):
                    pass
            except (TimeoutError, OSError):
                pass
        except OSError:
            pass  # it hung up on us, as it may
        finally:
            if close:
                s.close()
        return s

    GREETING = b'\xff' + bytes(8) + b'\x7f\x03\x00NULL' + bytes(16) + b'\0' + bytes(31)

    @staticmethod
    def ready(kind=b'DEALER', identity=b'', extra=b''):
        body = b'\x05READY' + b'\x0bSocket-Type' + struct.pack('>I', len(kind)) + kind + b'\x08Identity' + struct.pack('>I', len(identity)) + identity + extra
        return (b'\x04' + bytes([len(body)]) if len(body) < 256 else b'\x06' + struct.pack('>Q', len(body))) + body

    def test_other_protocols_on_its_ports(self):
        for channel in ('shell', 'control', 'stdin', 'iopub', 'hb'):
            for data in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + bytes(500), b'SSH-2.0-x\r\n', b'\0' * 1000, b'\xff' * 1000,
                         random.Random(7).randbytes(5000), b'', b'\x01'):
                self.say(data, channel)

    def test_greetings_that_break_off(self):
        whole = self.GREETING + self.ready()
        for channel in ('shell', 'iopub', 'hb'):
            for cut in range(0, len(whole), 7):
                s = self.raw(channel)
                s.sendall(whole[:cut])
                s.close()

    def test_frames_with_impossible_lengths(self):
        hello = self.GREETING + self.ready()
        for flags in range(8):
            for length in (2**31, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1):
                self.say(hello + bytes([flags | 2]) + struct.pack('>Q', length) + b'abc')
        self.assertLess(self.kernel.memory(), self.rss + 1500 * MIB)

    def test_bad_handshakes(self):
        for channel in ('shell', 'iopub', 'hb', 'stdin'):
            for command in (self.ready(b'XXXX'), self.ready(b''), self.ready(b'PUB'), self.ready(identity=b'x' * 255), self.ready(identity=b'x' * 5000),
                            b'\x04\x05READY', b'\x04\x00', b'\x04\x06\x05READY\xff', b'\x04\x0a\x05ERROR\x03abc', b'\x04\x05\x04PING', self.ready(extra=b'\xff' * 200),
                            self.ready(extra=b'\x01a\xff\xff\xff\xff'), b'\0\x03abc', b'\x07' + bytes(100)):
                self.say(self.GREETING + command, channel)
        for version in (0, 1, 2, 4, 255):
            self.say(self.GREETING[:10] + bytes([version]) + self.GREETING[11:] + self.ready())
        for mechanism in (b'PLAIN', b'CURVE', b'GSSAPI', b'\xff' * 20):
            self.say(self.GREETING[:12] + mechanism.ljust(20, b'\0') + self.GREETING[32:] + self.ready())

    def test_endless_multipart(self):
        s = self.raw()
        try:
            s.sendall(self.GREETING + self.ready())
            for _ in range(200):
                s.sendall((b'\x01\xff' + b'x' * 255) * 400)
        except OSError:
            pass  # refused at some length, as it may
        s.close()

    def test_random_bytes_after_a_good_handshake(self):
        numbers = random.Random(11)
        for _ in range(60):
            self.say(self.GREETING + self.ready() + numbers.randbytes(numbers.randrange(1, 3000)), numbers.choice(['shell', 'control', 'stdin', 'iopub', 'hb']))

    def test_connections_that_say_nothing(self):
        held = [self.raw(channel) for channel in ('shell', 'control', 'iopub', 'stdin', 'hb') for _ in range(60)]
        with self.kernel.client() as client:
            client.ready(30)
            self.assertEqual(client.execute('6 * 7').result, '42')
        for s in held:
            s.close()

    def test_two_clients_with_one_identity(self):
        clients = [Client(self.kernel.connection, identity=b'the same') for _ in range(3)]
        for client in clients:
            client.send('shell', 'kernel_info_request')
        time.sleep(0.5)
        for client in clients:
            client.close()

    def test_clients_that_leave_before_their_answer(self):
        for i in range(50):
            with self.kernel.client(subscribe=i % 2 == 0) as client:
                client.ask_execute('for i = 1, 200 do print(i) end' if lua else 'for (let i = 0; i < 200; i++) console.log(i)')
                if i % 3:
                    client.socket('shell').poll(5)
        time.sleep(0.5)

    def test_subscriptions_of_any_kind(self):
        s = self.client.context.socket(zmq.XSUB)
        s.linger = 0
        s.connect(self.client.address('iopub'))
        for message in (b'\x01', b'\x00', b'\x02', b'', b'\x01' + b'x' * 100_000, b'\xff' * 100, b'\x00never subscribed'):
            s.send(message)
        s.send_multipart([b'\x01', b'more'])
        time.sleep(0.3)
        s.close()

    def test_heartbeat_of_any_size(self):
        s = self.client.context.socket(zmq.REQ)
        s.linger = 0
        s.connect(self.client.address('hb'))
        for payload in (b'', b'x', bytes(MIB), bytes(range(256))):
            s.send(payload)
            self.assertTrue(s.poll(QUICK * 1000))
            self.assertEqual(s.recv(), payload)
        s.close()

    # many

    def test_flood(self):
        numbers = random.Random(3)
        clients = [self.kernel.client() for _ in range(4)]
        good = {client: set() for client in clients}
        for n in range(5000):
            client = clients[n % 4]
            channel = numbers.choice(['shell', 'control'])
            dice = numbers.random()
            if dice < 0.3:
                client.socket(channel).send_multipart([numbers.randbytes(numbers.randrange(50)) for _ in range(numbers.randrange(1, 8))])
            elif dice < 0.5:
                client.socket(channel).send_multipart([DELIMITER, b'0' * 64, b'{}', b'{}', b'{}', b'{}'])
            elif dice < 0.6:
                client.send(channel, f'invented_{n}_request')
            elif dice < 0.8:
                good[client].add(client.send(channel, 'kernel_info_request'))
            else:
                good[client].add(client.ask_execute(str(n)))
        end = time.monotonic() + 90
        for client in clients:
            waiting = good[client]
            while waiting and time.monotonic() < end:
                for channel in ('shell', 'control'):
                    message = client.receive(channel, 0.05)
                    if message is not None:
                        waiting.discard(message.parent['msg_id'])
            self.assertEqual(len(waiting), 0, 'good requests without an answer')
            client.close()
            self.kernel.clients.remove(client)


suite.main()
