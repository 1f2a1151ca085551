"""Output is never lost: many lines to a subscriber that sleeps, a lot in one cell, and memory that stays bounded."""
import json
import os
import socket
import struct
import time
import unittest

import suite
import zmq
from kernels import Kernel
from wire import Message

argv = json.loads(os.environ.get('KERNEL_ARGV', '[]'))
MIB = 2**20
LINES = 200_000
WAIT = 240

CODE = {
    'lua': {
        'lines': f'for i = 0, {LINES - 1} do print(i) end',
        'blocks': 'local block = ("x"):rep(65535)\nfor i = 1, {0} do print(block) end',
        'once': 'io.write(("y"):rep({0}))',
        'both': 'for i = 1, 5000 do print("o" .. i); io.stderr:write("e" .. i .. "\\n") end',
    },
    'javascript': {
        'lines': f'for (let i = 0; i < {LINES}; i++) console.log(String(i))',
        'blocks': 'for (let i = 0; i < {0}; i++) console.log("x".repeat(65535))',
        'once': 'process.stdout.write("y".repeat({0}))',
        'both': 'for (let i = 1; i <= 5000; i++) {{ console.log("o" + i); console.error("e" + i) }}',
    },
}


class Output:
    language = ''

    @classmethod
    def setUpClass(cls):
        cls.code = CODE[cls.language]
        cls.kernel = Kernel([*argv, '--language', cls.language, '--started-by', 'foreground'])
        cls.addClassCleanup(cls.kernel.stop)
        cls.client = cls.kernel.client()
        cls.client.ready(60)
        cls.client.execute('1')

    def setUp(self):
        self.client.drain(0.1)
        self.idle = self.kernel.memory()
        self.peak = 0

    def tearDown(self):
        self.assertTrue(self.kernel.alive(), self.kernel.printed()[-2000:])
        self.client.drain(0.2)
        self.assertEqual([m for m in self.client.late if m.type == 'stream'], [], 'output after idle')

    def subscriber(self, **options):
        """A subscriber that really stops reading: its socket takes one message, and the system hardly more."""
        s = self.client.context.socket(zmq.SUB)
        s.linger = 0
        for name, value in options.items():
            setattr(s, name, value)
        s.setsockopt(zmq.SUBSCRIBE, b'')
        s.connect(self.client.address('iopub'))
        self.assertTrue(s.poll(10_000), 'no welcome')
        s.recv_multipart()
        return s

    def read(self, s, msg_id):
        """Everything of a cell, to its idle."""
        text, states, after = [], [], 0
        while not states or states[-1] != 'idle':
            self.assertTrue(s.poll(WAIT * 1000), f'nothing comes any more after {sum(map(len, text))} bytes')
            message = Message(s.recv_multipart(), self.client.sign)
            if message.parent.get('msg_id') != msg_id:
                continue
            if message.type == 'stream':
                text.append(message.content['text'])
            elif message.type == 'status':
                states.append(message.content['execution_state'])
        while s.poll(300):
            message = Message(s.recv_multipart(), self.client.sign)
            after += message.parent.get('msg_id') == msg_id
        self.assertEqual(after, 0, 'something came after idle')
        self.assertEqual(states, ['busy', 'idle'])
        return ''.join(text)

    def test_many_lines_to_a_subscriber_that_sleeps(self):
        for options in ({}, {'rcvhwm': 1, 'rcvbuf': 4096}):
            with self.subTest(options=options):
                s = self.subscriber(**options)
                msg_id = self.client.ask_execute(self.code['lines'])
                time.sleep(5)
                expected = ''.join(f'{i}\n' for i in range(LINES))
                text = self.read(s, msg_id)
                self.assertEqual(len(text), len(expected))
                self.assertTrue(text == expected, 'out of order')
                self.assertEqual(self.client.collect(msg_id, timeout=WAIT).stream(), expected)
                s.close()
        self.assertLess(self.kernel.memory(), self.idle + 300 * MIB)

    def test_50_megabytes_in_one_cell(self):
        count = 800
        exchange = self.client.execute(self.code['blocks'].format(count), timeout=WAIT)
        self.assertEqual(exchange.status, 'ok')
        self.assertTrue(exchange.stream() == ('x' * 65535 + '\n') * count)

    def test_50_megabytes_in_one_write(self):
        size = 50 * MIB
        exchange = self.client.execute(self.code['once'].format(size), timeout=WAIT)
        self.assertEqual(exchange.status, 'ok', exchange.content)
        self.assertTrue(exchange.stream() == 'y' * size)

    def test_50_megabytes_to_a_subscriber_that_sleeps(self):
        s = self.subscriber(rcvhwm=1, rcvbuf=4096)
        msg_id = self.client.ask_execute(self.code['blocks'].format(800))
        time.sleep(5)
        self.assertEqual(len(self.read(s, msg_id)), 800 * 65536)
        s.close()

    def test_memory_is_bounded_towards_one_who_never_reads(self):
        # below libzmq, which would buffer on our side: a connection that subscribes and never reads again
        greeting = b'\xff' + bytes(8) + b'\x7f\x03\x00NULL' + bytes(16) + b'\0' + bytes(31)
        body = b'\x05READY\x0bSocket-Type' + struct.pack('>I', 3) + b'SUB'
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', self.kernel.connection['iopub_port']))
        s.sendall(greeting + b'\x04' + bytes([len(body)]) + body + b'\x00\x01\x01')
        time.sleep(0.5)
        peak = 0
        for _ in range(8):
            exchange = self.client.execute(self.code['blocks'].format(1600), timeout=WAIT)
            self.assertEqual((exchange.status, len(exchange.stream())), ('ok', 1600 * 65536), 'others get everything')
            peak = max(peak, self.kernel.memory())
        s.close()
        self.assertLess(peak, self.idle + 600 * MIB, f'{self.idle // MIB} MiB idle, {peak // MIB} MiB while 800 MiB were printed')

    def test_both_streams_keep_their_order(self):
        exchange = self.client.execute(self.code['both'].format(), timeout=WAIT)
        self.assertEqual(exchange.stream(), ''.join(f'o{i}\n' for i in range(1, 5001)))
        self.assertEqual(exchange.stream('stderr'), ''.join(f'e{i}\n' for i in range(1, 5001)))
        merged = ''.join(m.content['text'] for m in exchange.of('stream'))
        self.assertEqual(merged, ''.join(f'o{i}\ne{i}\n' for i in range(1, 5001)), 'as they were written')


class Lua(Output, unittest.TestCase):
    language = 'lua'


class JavaScript(Output, unittest.TestCase):
    language = 'javascript'


suite.main()
