"""Debian's notebook server: kernels over REST and WebSocket, as its web pages use them."""
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from urllib.request import Request, urlopen

import suite
from kernels import free_ports
from profiles import profile
from tornado.websocket import websocket_connect

name, samples = profile(sys.argv)


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix='ln-')
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        [port] = free_ports(1)
        cls.url = f'http://127.0.0.1:{port}'
        cls.log = open(os.path.join(cls.dir, 'log'), 'w')
        cls.process = subprocess.Popen(
            ['jupyter', 'notebook', '--no-browser', '--allow-root', '--ip=127.0.0.1', f'--port={port}', '--NotebookApp.token=', '--NotebookApp.password=',
             '--NotebookApp.disable_check_xsrf=True', f'--NotebookApp.notebook_dir={cls.dir}', '--KernelManager.shutdown_wait_time=10'],
            stdin=subprocess.DEVNULL, stdout=cls.log, stderr=subprocess.STDOUT, cwd=cls.dir)
        cls.addClassCleanup(cls.stop)
        end = time.monotonic() + 60
        while True:
            try:
                urlopen(f'{cls.url}/api', timeout=5).read()
                return
            except OSError:
                if time.monotonic() > end or cls.process.poll() is not None:
                    with open(cls.log.name) as file:
                        raise AssertionError(f'the server does not start: {file.read()[-2000:]}')
                time.sleep(0.2)

    @classmethod
    def stop(cls):
        cls.process.terminate()
        try:
            cls.process.wait(20)
        except subprocess.TimeoutExpired:
            cls.process.kill()
            cls.process.wait()
        cls.log.close()

    def ask(self, method, path, body=None):
        request = Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={'Content-Type': 'application/json'})
        with urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def with_kernel(self, talk):
        kernel = self.ask('POST', '/api/kernels', {'name': name})['id']

        async def go():
            socket = await asyncio.wait_for(websocket_connect(f"{self.url.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"), 30)
            try:
                await talk(kernel, Channel(socket))
            finally:
                socket.close()
        try:
            asyncio.run(go())
        finally:
            self.ask('DELETE', f'/api/kernels/{kernel}')
        self.assertEqual([k for k in self.ask('GET', '/api/kernels') if k['id'] == kernel], [])

    async def rest(self, *args):
        return await asyncio.get_running_loop().run_in_executor(None, self.ask, *args)

    def test_kernelspec_with_its_logo(self):
        specs = self.ask('GET', '/api/kernelspecs')['kernelspecs']
        self.assertIn(name, specs)
        for path in specs[name]['resources'].values():
            with urlopen(self.url + path, timeout=30) as response:
                self.assertGreater(len(response.read()), 100)

    def test_execute(self):
        async def talk(kernel, channel):
            self.assertEqual((await channel.execute(samples['set']))['status'], 'ok')
            await channel.execute(samples['get'])
            self.assertEqual(channel.result(), '42')
            await channel.execute(samples['html'])
            self.assertEqual(channel.of('display_data')[0]['data']['text/html'], '<b>bold</b>')
            reply = await channel.execute(samples['error'])
            self.assertEqual(reply['ename'], samples['ename'])
            await channel.execute(samples['lines'].format(5000))
            self.assertEqual(''.join(c['text'] for c in channel.of('stream')), ''.join(f'{i}\n' for i in range(5000)))
        self.with_kernel(talk)

    def test_input(self):
        async def talk(kernel, channel):
            await channel.execute(samples['input'], answer='Ann')
            self.assertEqual(''.join(c['text'] for c in channel.of('stream')), 'Hello Ann\n')
        self.with_kernel(talk)

    def test_interrupt(self):
        async def talk(kernel, channel):
            await channel.execute(samples['set'])
            running = asyncio.ensure_future(channel.execute(samples['loop']))
            await asyncio.sleep(1.5)
            await self.rest('POST', f'/api/kernels/{kernel}/interrupt', {})
            reply = await running
            self.assertEqual((reply['status'], reply['ename']), ('error', samples['interrupted']))
            await channel.execute(samples['get'])
            self.assertEqual(channel.result(), '42')
        self.with_kernel(talk)

    def test_restart(self):
        async def talk(kernel, channel):
            await channel.execute(samples['set'])
            await self.rest('POST', f'/api/kernels/{kernel}/restart', {})
            reply = await channel.execute(samples['get'], tries=10)
            self.assertEqual((reply['status'], reply['execution_count']), ('error', 1))
        self.with_kernel(talk)

    def test_restart_during_a_loop(self):
        async def talk(kernel, channel):
            await channel.send('execute_request', channel.cell(samples['loop']))
            await asyncio.sleep(1)
            await self.rest('POST', f'/api/kernels/{kernel}/restart', {})
            reply = await channel.execute(samples['expression'], tries=10)
            self.assertEqual(reply['status'], 'ok')
        self.with_kernel(talk)

    def test_complete_and_inspect(self):
        async def talk(kernel, channel):
            part, whole = samples['complete_tab']
            reply = await channel.ask('complete_request', {'code': part, 'cursor_pos': len(part)})
            self.assertIn(whole, reply['matches'])
            code = samples['kernel_test']['code_inspect_sample']
            reply = await channel.ask('inspect_request', {'code': code, 'cursor_pos': len(code), 'detail_level': 0})
            self.assertTrue(reply['found'])
        self.with_kernel(talk)


class Channel:
    """A kernel's WebSocket."""

    def __init__(self, socket):
        self.socket = socket
        self.session = uuid.uuid4().hex
        self.seen = []

    def cell(self, code, allow_stdin=False):
        return {'code': code, 'silent': False, 'store_history': True, 'user_expressions': {}, 'allow_stdin': allow_stdin, 'stop_on_error': True}

    async def send(self, kind, content, channel='shell'):
        header = {'msg_id': uuid.uuid4().hex, 'session': self.session, 'username': 'tester', 'msg_type': kind, 'version': '5.3',
                  'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}
        await self.socket.write_message(json.dumps({'header': header, 'parent_header': {}, 'metadata': {}, 'content': content, 'channel': channel, 'buffers': []}))
        return header['msg_id']

    async def ask(self, kind, content, answer=None, timeout=60):
        msg_id = await self.send(kind, content)
        self.seen = []
        reply, idle = None, False
        while reply is None or not idle:
            text = await asyncio.wait_for(self.socket.read_message(), timeout)
            if text is None:
                raise AssertionError('the server closed the connection')
            message = json.loads(text)
            if message['parent_header'].get('msg_id') != msg_id:
                continue
            if message['channel'] == 'stdin':
                await self.send('input_reply', {'value': answer}, channel='stdin')
            elif message['channel'] == 'shell':
                reply = message['content']
            else:
                self.seen.append((message['msg_type'], message['content']))
                idle = message['msg_type'] == 'status' and message['content']['execution_state'] == 'idle'
        return reply

    async def execute(self, code, answer=None, tries=1):
        for left in reversed(range(tries)):
            try:  # right after a restart the server may still be connecting to the kernel
                return await self.ask('execute_request', self.cell(code, answer is not None), answer, timeout=60 if not left else 5)
            except asyncio.TimeoutError:
                if not left:
                    raise

    def of(self, kind):
        return [content for each, content in self.seen if each == kind]

    def result(self):
        return self.of('execute_result')[0]['data']['text/plain']


suite.main([Server])
