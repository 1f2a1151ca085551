"""Jupyter's debug protocol as JupyterLab speaks it, by jupyter_client: debug_request on control, debug_event on iopub."""
import queue
import sys
import time
import unittest

import suite
from ipykernel.compiler import murmur2_x86
from jupyter_client import KernelManager

NAME = next(word for word in sys.argv[1:] if not word.startswith('--'))
WAIT = 30

# Line numbers below count from 1; `body` is the line that stands in the function.
SAMPLES = {
    'llmspell-lua': {
        'define': 'function double(n)\n  local twice = n * 2\n  local note = "grüße 한국 🦊"\n  return twice\nend',
        'body': 3, 'call': 'print("got", double(21))', 'stdout': 'got\t42\n', 'kept': 'kept = 7', 'kept_name': 'kept',
        'cell': '-- 한국어 🦊\nlocal a = 1\nlocal b = a + 1\nprint("b " .. b)', 'line': 3, 'printed': 'b 2\n', 'global': 'print(copied)',
    },
    'llmspell-typescript': {
        'define': 'function double(n: number): number {\n  const twice = n * 2\n  const note = "grüße 한국 🦊"\n  return twice\n}',
        'body': 3, 'call': 'console.log("got", double(21))', 'stdout': 'got 42\n', 'kept': 'var kept = 7', 'kept_name': 'kept',
        'cell': '// 한국어 🦊\nlet a: number = 1\nlet b: number = a + 1\nconsole.log("b " + b)', 'line': 3, 'printed': 'b 2\n', 'global': 'console.log(copied)',
    },
    'llmspell-javascript': {
        'define': 'function double(n) {\n  const twice = n * 2\n  const note = "grüße 한국 🦊"\n  return twice\n}',
        'body': 3, 'call': 'console.log("got", double(21))', 'stdout': 'got 42\n', 'kept': 'var kept = 7', 'kept_name': 'kept',
        'cell': '// 한국어 🦊\nlet a = 1\nlet b = a + 1\nconsole.log("b " + b)', 'line': 3, 'printed': 'b 2\n', 'global': 'console.log(copied)',
    },
    'python3': {
        'define': 'def double(n):\n  twice = n * 2\n  note = "grüße 한국 🦊"\n  return twice',
        'body': 3, 'call': 'print("got", double(21))', 'stdout': 'got 42\n', 'kept': 'kept = 7', 'kept_name': 'kept',
        'cell': '# 한국어 🦊\na = 1\nb = a + 1\nprint("b", b)', 'line': 3, 'printed': 'b 2\n', 'global': 'print(copied)',
    },
}
SAMPLE = SAMPLES[NAME]
OURS = NAME.startswith('llmspell-')


class Notebook:
    """A kernel with one client that debugs it."""

    def __init__(self):
        self.manager = KernelManager(kernel_name=NAME)
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.seq = 0
        self.seen = []  # of iopub, not yet asked for

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)

    def debug(self, command, arguments=None, ok=True):
        self.seq += 1
        message = self.client.session.msg('debug_request', {'type': 'request', 'seq': self.seq, 'command': command, 'arguments': arguments or {}})
        self.client.control_channel.send(message)
        end = time.monotonic() + WAIT
        while True:
            reply = self.client.get_control_msg(timeout=max(0.01, end - time.monotonic()))
            if reply['parent_header'].get('msg_id') == message['header']['msg_id']:
                break
        content = reply['content']
        assert reply['msg_type'] == 'debug_reply', reply
        if ok:
            assert content.get('success', True), content
        return content if not ok else content.get('body', {})

    def published(self, what, wanted):
        """The next published message for which `wanted` is true; those before it stay."""
        end = time.monotonic() + WAIT
        while True:
            for message in self.seen:
                if wanted(message):
                    self.seen.remove(message)
                    return message
            try:
                self.seen.append(self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f'waited {WAIT} s for {what}; published: {[(m["msg_type"], m["content"]) for m in self.seen[-10:]]}') from None

    def event(self, name):
        return self.published(f'event {name}', lambda m: m['msg_type'] == 'debug_event' and m['content'].get('event') == name)['content'].get('body', {})

    def path(self, code):
        info = self.debug('debugInfo')
        return info['tmpFilePrefix'] + str(murmur2_x86(code, info['hashSeed'])) + info['tmpFileSuffix']

    def start(self):
        """What JupyterLab does when its bug button is pressed."""
        self.debug('initialize', {'clientID': 'jupyterlab', 'clientName': 'JupyterLab', 'adapterID': '', 'pathFormat': 'path', 'linesStartAt1': True,
                                  'columnsStartAt1': True, 'supportsVariableType': True, 'supportsVariablePaging': True,
                                  'supportsRunInTerminalRequest': True, 'locale': 'en'})
        self.debug('attach')

    def breakpoints(self, code, *lines):
        path = self.debug('dumpCell', {'code': code})['sourcePath']
        bound = self.debug('setBreakpoints', {'breakpoints': [{'line': line} for line in lines], 'source': {'path': path}, 'sourceModified': False})
        self.debug('configurationDone')
        return path, bound['breakpoints']

    def execute(self, code):
        return self.client.execute(code)

    def finish(self, msg_id):
        """The reply of a cell, and what it printed."""
        end = time.monotonic() + WAIT
        while True:
            reply = self.client.get_shell_msg(timeout=max(0.01, end - time.monotonic()))
            if reply['parent_header'].get('msg_id') == msg_id:
                break
        mine = lambda m: m['parent_header'].get('msg_id') == msg_id
        self.published('idle', lambda m: mine(m) and m['msg_type'] == 'status' and m['content']['execution_state'] == 'idle')
        out = ''.join(m['content']['text'] for m in self.seen if mine(m) and m['msg_type'] == 'stream')
        return reply['content'], out

    def stop(self):
        body = self.event('stopped')
        frames = self.debug('stackTrace', {'threadId': body['threadId']})['stackFrames']
        return body, frames

    def locals(self, frame):
        values = {}
        for scope in self.debug('scopes', {'frameId': frame['id']})['scopes']:
            if scope.get('expensive') or 'lobal' in scope['name']:
                continue
            for variable in self.debug('variables', {'variablesReference': scope['variablesReference']})['variables']:
                values.setdefault(variable['name'], variable['value'])
        return values


class Debugger(unittest.TestCase):
    def setUp(self):
        self.notebook = Notebook()

    def tearDown(self):
        self.notebook.close()

    def run_cell(self, code):
        content, out = self.notebook.finish(self.notebook.execute(code))
        self.assertEqual(content['status'], 'ok', content)
        return out

    def test_offers_itself(self):
        spec = self.notebook.manager.kernel_spec
        self.assertIs(spec.metadata.get('debugger'), True)
        self.notebook.client.kernel_info()
        info = self.notebook.client.get_shell_msg(timeout=WAIT)['content']
        if OURS:
            self.assertTrue(info.get('debugger') or 'debugger' in info.get('supported_features', []), info)

    def test_info_before_it_is_on(self):
        info = self.notebook.debug('debugInfo')
        self.assertIs(info['isStarted'], False)
        self.assertEqual(info['hashMethod'], 'Murmur2')
        self.assertEqual(info['breakpoints'], [])
        self.assertEqual(info['stoppedThreads'], [])
        if OURS:
            # JupyterLab keeps one prefix for all kernels of a name
            self.assertNotIn(str(self.notebook.manager.provisioner.pid), info['tmpFilePrefix'])
            self.assertIsInstance(info['exceptionPaths'], list)
            self.assertIs(info['richRendering'], True)
            self.assertIs(info['copyToGlobals'], True)

    def test_a_cell_is_known_by_its_text(self):
        self.notebook.start()
        for code in ('', 'x', SAMPLE['cell'], SAMPLE['cell'] + '\n', 'é' * 1001, '\U0001f98a' * 7):
            self.assertEqual(self.notebook.debug('dumpCell', {'code': code})['sourcePath'], self.notebook.path(code), repr(code))

    def test_stops_steps_and_goes_on(self):
        book = self.notebook
        book.start()
        path, bound = book.breakpoints(SAMPLE['cell'], SAMPLE['line'])
        self.assertEqual(path, book.path(SAMPLE['cell']))
        self.assertEqual([b['line'] for b in bound], [SAMPLE['line']])
        cell = book.execute(SAMPLE['cell'])
        body, frames = book.stop()
        self.assertEqual((body['reason'], frames[0]['line'], frames[0]['source']['path']), ('breakpoint', SAMPLE['line'], path))
        self.assertEqual(book.locals(frames[0]).get('a') or book.debug('evaluate', {'expression': 'a', 'frameId': frames[0]['id'], 'context': 'watch'})['result'], '1')
        info = book.debug('debugInfo')
        self.assertIs(info['isStarted'], True)
        self.assertIn(body['threadId'], info['stoppedThreads'])
        self.assertEqual([(b['source'], [x['line'] for x in b['breakpoints']]) for b in info['breakpoints']], [(path, [SAMPLE['line']])])
        book.debug('next', {'threadId': body['threadId']})
        body, frames = book.stop()
        self.assertEqual((body['reason'], frames[0]['line']), ('step', SAMPLE['line'] + 1))
        book.debug('continue', {'threadId': body['threadId']})
        content, out = book.finish(cell)
        self.assertEqual((content['status'], out), ('ok', SAMPLE['printed']))
        self.assertEqual(book.debug('debugInfo')['stoppedThreads'], [])

    def test_a_function_of_a_cell_that_ran_before(self):
        book = self.notebook
        self.run_cell(SAMPLE['define'])
        if not OURS:
            book.start()  # a Python function knows the path of its cell only from when it was compiled
            self.run_cell(SAMPLE['define'])
        else:
            book.start()
        path, _ = book.breakpoints(SAMPLE['define'], SAMPLE['body'])
        cell = book.execute(SAMPLE['call'])
        body, frames = book.stop()
        self.assertEqual((frames[0]['line'], frames[0]['source']['path']), (SAMPLE['body'], path))
        self.assertIn('double', frames[0]['name'])
        self.assertEqual(frames[1]['source']['path'], book.path(SAMPLE['call']))
        values = book.locals(frames[0])
        self.assertEqual((values['n'], values['twice']), ('21', '42'))
        source = book.debug('source', {'source': {'path': path}})
        self.assertEqual(source['content'], SAMPLE['define'])
        book.debug('stepOut', {'threadId': body['threadId']})
        body, frames = book.stop()
        self.assertEqual(frames[0]['source']['path'], book.path(SAMPLE['call']))
        book.debug('continue', {'threadId': body['threadId']})
        self.assertEqual(book.finish(cell)[1], SAMPLE['stdout'])

    def test_variables_without_a_session(self):
        book = self.notebook
        self.run_cell(SAMPLE['kept'])
        variables = book.debug('inspectVariables')['variables']
        kept = [v for v in variables if v['name'] == SAMPLE['kept_name']]
        self.assertEqual([v['value'] for v in kept], ['7'])
        rich = book.debug('richInspectVariables', {'variableName': SAMPLE['kept_name']})
        self.assertEqual(rich['data']['text/plain'], '7')

    def test_copies_a_local_to_the_globals(self):
        book = self.notebook
        self.run_cell(SAMPLE['define'])
        book.start()
        if not OURS:
            self.run_cell(SAMPLE['define'])
        book.breakpoints(SAMPLE['define'], SAMPLE['body'])
        cell = book.execute(SAMPLE['call'])
        body, frames = book.stop()
        rich = book.debug('richInspectVariables', {'variableName': 'twice', 'frameId': frames[0]['id']})
        self.assertEqual(rich['data']['text/plain'], '42')
        book.debug('copyToGlobals', {'srcVariableName': 'twice', 'dstVariableName': 'copied', 'srcFrameId': frames[0]['id']})
        book.debug('continue', {'threadId': body['threadId']})
        book.finish(cell)
        self.assertEqual(self.run_cell(SAMPLE['global']), '42\n')

    def test_an_interrupt_at_a_stop_leaves_breakpoints(self):
        book = self.notebook
        book.start()
        book.breakpoints(SAMPLE['cell'], SAMPLE['line'])
        for _ in range(2):
            cell = book.execute(SAMPLE['cell'])
            _, frames = book.stop()
            self.assertEqual(frames[0]['line'], SAMPLE['line'])
            book.manager.interrupt_kernel()
            content, _ = book.finish(cell)
            self.assertEqual(content['status'], 'error')
            self.assertEqual(book.debug('debugInfo')['stoppedThreads'], [])
        self.assertEqual(len(book.debug('debugInfo')['breakpoints']), 1)

    def test_disconnect_lets_it_run(self):
        book = self.notebook
        book.start()
        book.breakpoints(SAMPLE['cell'], SAMPLE['line'])
        cell = book.execute(SAMPLE['cell'])
        book.stop()
        book.debug('disconnect', {'restart': False, 'terminateDebuggee': False})
        self.assertEqual(book.finish(cell)[1], SAMPLE['printed'])
        self.assertEqual(self.run_cell(SAMPLE['cell']), SAMPLE['printed'])
        self.assertIs(book.debug('debugInfo')['isStarted'], False)

    def test_paths_hold_over_a_restart_and_for_two_kernels(self):
        book = self.notebook
        book.start()
        path, _ = book.breakpoints(SAMPLE['cell'], SAMPLE['line'])
        book.manager.restart_kernel()
        book.client.wait_for_ready(timeout=60)
        if OURS:
            info = book.debug('debugInfo')
            self.assertIs(info['isStarted'], True)
            self.assertEqual([(b['source'], [x['line'] for x in b['breakpoints']]) for b in info['breakpoints']], [(path, [SAMPLE['line']])])
            cell = book.execute(SAMPLE['cell'])
            body, frames = book.stop()
            self.assertEqual(frames[0]['line'], SAMPLE['line'])
            book.debug('continue', {'threadId': body['threadId']})
            self.assertEqual(book.finish(cell)[1], SAMPLE['printed'])
        book.start()
        again, bound = book.breakpoints(SAMPLE['cell'], SAMPLE['line'])
        other = Notebook()
        try:
            other.start()
            elsewhere, _ = other.breakpoints(SAMPLE['cell'], SAMPLE['line'])
            if OURS:
                self.assertEqual([again, elsewhere], [path, path])
            cells = [(each, each.execute(SAMPLE['cell'])) for each in (book, other)]
            for each, _ in cells:
                self.assertEqual(each.stop()[1][0]['line'], SAMPLE['line'])
            for each, cell in cells:
                each.debug('continue', {'threadId': each.debug('debugInfo')['stoppedThreads'][0]})
                self.assertEqual(each.finish(cell)[1], SAMPLE['printed'])
        finally:
            other.close()

    def test_what_makes_no_sense_is_refused(self):
        book = self.notebook
        for command, arguments in (('nonsense', {}), ('stackTrace', {'threadId': 1}), ('continue', {}), ('variables', {'variablesReference': 99999}),
                                   ('dumpCell', {}), ('richInspectVariables', {'variableName': 'no_such'}), ('setBreakpoints', {'source': 3})):
            reply = book.debug(command, arguments, ok=False)
            self.assertIs(reply.get('success'), False, (command, reply))
            self.assertTrue(reply.get('message'), (command, reply))
        self.assertEqual(self.run_cell(SAMPLE['call'].split('double')[0].rstrip(', ') + ')').strip(), 'got')


if __name__ == '__main__':
    suite.main()
