"""Jupyter's debug protocol as JupyterLab speaks it, through jupyter_client: one kernel a class, every wait named."""
import os
import queue
import sys
import time
import unittest

import jupyter_client
import suite
from profiles import profile

name, samples = profile(sys.argv)
debug = samples['debug']
WAIT = 40


class Debugged:
    """A kernel of this kernelspec and one client of it, with the client's side of the debug protocol."""

    def __init__(self, manager=None):
        self.owner = manager is None
        self.manager = manager or jupyter_client.KernelManager(kernel_name=name)
        if self.owner:
            self.manager.start_kernel()
        self.connect()

    def connect(self):
        if self.owner:
            self.client = self.manager.client()
        else:  # a manager's own clients have one name, and so get each other's replies
            self.client = jupyter_client.BlockingKernelClient()
            self.client.load_connection_file(self.manager.connection_file)
        self.client.start_channels()
        self.client.wait_for_ready(timeout=WAIT)
        self.events, self.published, self.replies = [], [], {}
        self.seq = 0

    def stop(self):
        self.client.stop_channels()
        if self.owner:
            self.manager.shutdown_kernel()

    def send(self, command, arguments=None):
        """Asks without waiting."""
        self.seq += 1
        content = {'type': 'request', 'seq': self.seq, 'command': command}
        if arguments is not None:
            content['arguments'] = arguments
        return self.control('debug_request', content)

    def control(self, kind, content=None):
        message = self.client.session.msg(kind, content or {})
        self.client.control_channel.send(message)
        return message['header']['msg_id']

    def reply(self, msg_id, what='a reply'):
        end = time.monotonic() + WAIT
        while msg_id not in self.replies:
            left = end - time.monotonic()
            if left < 0:
                raise AssertionError(f'no answer to {what} within {WAIT} s')
            try:
                message = self.client.get_control_msg(timeout=min(left, 1))
            except queue.Empty:
                continue
            self.replies[message['parent_header'].get('msg_id')] = message
        return self.replies.pop(msg_id)['content']

    def ask(self, command, arguments=None):
        return self.reply(self.send(command, arguments), command)

    def body(self, command, arguments=None):
        reply = self.ask(command, arguments)
        if not reply.get('success'):
            raise AssertionError(f'{command}: {reply}')
        return reply.get('body') or {}

    def read(self):
        """One message of IOPub, kept in order."""
        message = self.client.get_iopub_msg(timeout=1)
        if message['msg_type'] == 'debug_event':
            self.events.append(message['content'])
        self.published.append(message)

    def event(self, kind, **wanted):
        """The next event of a kind; those before it are dropped."""
        end = time.monotonic() + WAIT
        while True:
            while self.events:
                event = self.events.pop(0)
                if event['event'] == kind and all(event.get('body', {}).get(k) == v for k, v in wanted.items()):
                    return event.get('body', {})
            if time.monotonic() > end:
                raise AssertionError(f'no event {kind} {wanted} within {WAIT} s')
            try:
                self.read()
            except queue.Empty:
                pass

    def execute(self, code):
        return self.client.execute(code)

    def done(self, msg_id):
        """The reply of an execution; what it printed is in `printed` then."""
        end = time.monotonic() + WAIT
        while True:
            if time.monotonic() > end:
                raise AssertionError(f'the cell did not end within {WAIT} s')
            try:
                message = self.client.get_shell_msg(timeout=1)
            except queue.Empty:
                continue
            if message['parent_header'].get('msg_id') == msg_id:
                break
        while not any(self.is_idle(m, msg_id) for m in self.published):
            if time.monotonic() > end:
                raise AssertionError(f'no idle of the cell within {WAIT} s')
            try:
                self.read()
            except queue.Empty:
                pass
        return message['content']

    def is_idle(self, message, msg_id):
        return message['msg_type'] == 'status' and message['content']['execution_state'] == 'idle' and message['parent_header'].get('msg_id') == msg_id

    def printed(self, msg_id):
        return ''.join(m['content']['text'] for m in self.published if m['msg_type'] == 'stream' and m['parent_header'].get('msg_id') == msg_id)

    def start(self):
        """As JupyterLab does when its button is pressed."""
        info = self.body('debugInfo', {})
        capabilities = self.body('initialize', {'clientID': 'test', 'clientName': 'test', 'adapterID': name, 'pathFormat': 'path',
                                                'linesStartAt1': True, 'columnsStartAt1': True, 'supportsVariableType': True, 'locale': 'en'})
        self.body('attach', {})
        return info, capabilities

    def break_at(self, code, *lines):
        path = self.body('dumpCell', {'code': code})['sourcePath']
        return path, self.body('setBreakpoints', {'source': {'path': path}, 'breakpoints': [{'line': n} for n in lines], 'sourceModified': False})['breakpoints']

    def stopped(self):
        """Waits for a stop; its thread, and its innermost frame."""
        thread = self.event('stopped')['threadId']
        return thread, self.body('stackTrace', {'threadId': thread})['stackFrames'][0]

    def locals(self, frame):
        found = {}
        for scope in self.body('scopes', {'frameId': frame['id']})['scopes']:
            if not scope['expensive'] and 'global' not in scope['name'].lower():
                for variable in self.body('variables', {'variablesReference': scope['variablesReference']})['variables']:
                    found.setdefault(variable['name'], variable['value'])
        return found


class DebugCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = Debugged()
        cls.addClassCleanup(cls.kernel.stop)

    def check(self, at, line, **variables):
        thread, frame = at
        self.assertEqual(frame['line'], line, frame)
        if variables:
            seen = self.kernel.locals(frame)
            for key, value in variables.items():
                self.assertEqual(seen.get(key), value, seen)
        return thread


class Information(DebugCase):
    def test_kernel_info_and_kernelspec_say_that_it_debugs(self):
        self.kernel.client.kernel_info()
        info = self.kernel.client.get_shell_msg(timeout=WAIT)['content']
        self.assertTrue(info['debugger'])
        self.assertIn('debugger', info['supported_features'])
        self.assertIs(self.kernel.manager.kernel_spec.metadata['debugger'], True)

    def test_debug_info_before_anything_was_started(self):
        info = self.kernel.body('debugInfo', {})
        self.assertIs(info['isStarted'], False)
        self.assertEqual((info['hashMethod'], info['breakpoints'], info['stoppedThreads']), ('Murmur2', [], []))
        self.assertIsInstance(info['hashSeed'], int)
        self.assertTrue(os.path.isabs(info['tmpFilePrefix']))
        self.assertEqual(info['tmpFileSuffix'], samples['language_info']['file_extension'])
        self.assertTrue(info['richRendering'] and info['copyToGlobals'])
        self.assertNotIn(str(self.kernel.manager.provisioner.pid), info['tmpFilePrefix'], 'the same after a restart')

    def test_a_cell_is_dumped_to_a_private_file_named_by_its_text(self):
        code = '-- 안녕 🚀\n' if name.endswith('lua') else '// 안녕 🚀\n'
        info = self.kernel.body('debugInfo', {})
        path = self.kernel.body('dumpCell', {'code': code})['sourcePath']
        self.assertEqual(path, f'{info["tmpFilePrefix"]}{murmur2(code.encode(), info["hashSeed"])}{info["tmpFileSuffix"]}')
        with open(path, encoding='utf-8') as file:
            self.assertEqual(file.read(), code)
        self.assertEqual((os.stat(path).st_mode & 0o777, os.stat(os.path.dirname(path)).st_mode & 0o777), (0o600, 0o700))

    def test_variables_are_seen_without_a_session(self):
        self.kernel.done(self.kernel.execute(samples['set']))
        variables = {v['name']: v for v in self.kernel.body('inspectVariables', {})['variables']}
        self.assertEqual(variables['kept']['value'], '41')
        rich = self.kernel.body('richInspectVariables', {'variableName': 'kept'})
        self.assertEqual(rich['data']['text/plain'], '41')
        self.assertIs(self.kernel.body('debugInfo', {})['isStarted'], False)

    def test_requests_that_cannot_be(self):
        for command, arguments in [('stackTrace', {'threadId': 1}), ('noSuchCommand', {}), ('setBreakpoints', {}), ('continue', None),
                                   ('richInspectVariables', {'variableName': 'not there ('}), ('source', {'sourceReference': 0})]:
            with self.subTest(command=command):
                reply = self.kernel.ask(command, arguments)
                self.assertEqual((reply['success'], reply['command'], reply['type']), (False, command, 'response'))
                self.assertTrue(reply['message'])
        for content in [{}, {'type': 'request', 'command': 'threads'}, {'seq': 1, 'command': 7}, {'seq': 'x', 'command': 'threads'}]:
            with self.subTest(content=content):
                self.assertEqual(self.kernel.reply(self.kernel.control('debug_request', content))['status'], 'error')


class Cells(DebugCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernel.start()

    def test_breakpoint_variables_step_continue(self):
        code = debug['cell']
        path, [breakpoint] = self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        at = self.kernel.stopped()
        thread = self.check(at, debug['line'], **debug['locals'])
        self.assertEqual(at[1]['source']['path'], path)
        info = self.kernel.body('debugInfo', {})
        self.assertEqual((info['isStarted'], info['stoppedThreads']), (True, [thread]))
        self.assertEqual([(b['source'], [p['line'] for p in b['breakpoints']]) for b in info['breakpoints']], [(path, [debug['line']])])
        self.assertEqual(self.kernel.body('source', {'source': {'path': path}, 'sourceReference': 0})['content'], code)
        result = self.kernel.body('evaluate', {'expression': debug['evaluate'][0], 'frameId': at[1]['id'], 'context': 'repl'})
        self.assertEqual(result['result'], debug['evaluate'][1])
        self.kernel.body('next', {'threadId': thread})
        thread = self.check(self.kernel.stopped(), debug['line'] + 1, **debug['after'])
        self.kernel.body('continue', {'threadId': thread})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')
        self.assertEqual(self.kernel.printed(cell), debug['printed'])
        self.kernel.break_at(code)

    def test_a_function_of_an_earlier_cell(self):
        definition, call = debug['function'], debug['call']
        self.kernel.done(self.kernel.execute(definition))
        path, [breakpoint] = self.kernel.break_at(definition, 2)
        self.assertTrue(breakpoint['verified'], breakpoint)
        cell = self.kernel.execute(call)
        thread, frame = self.kernel.stopped()
        self.assertEqual((frame['source']['path'], frame['line']), (path, 2))
        self.kernel.body('continue', {'threadId': thread})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')
        self.kernel.break_at(definition)

    def test_variables_while_nothing_stands_still(self):
        self.kernel.done(self.kernel.execute(debug['nested']))
        variables = {v['name']: v for v in self.kernel.body('inspectVariables', {})['variables']}
        nested = variables['nested']
        self.assertGreater(nested['variablesReference'], 0)
        inside = self.kernel.body('variables', {'variablesReference': nested['variablesReference']})['variables']
        self.assertIn('inner', [v['name'] for v in inside])
        self.assertIn('text/plain', self.kernel.body('richInspectVariables', {'variableName': 'nested'})['data'])

    def test_copy_to_globals(self):
        code = debug['cell']
        self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        thread, frame = self.kernel.stopped()
        variable, value = next(iter(debug['locals'].items()))
        self.kernel.body('copyToGlobals', {'srcVariableName': variable, 'dstVariableName': 'copied', 'srcFrameId': frame['id']})
        self.kernel.body('continue', {'threadId': thread})
        self.kernel.done(cell)
        self.kernel.break_at(code)
        rich = self.kernel.body('richInspectVariables', {'variableName': 'copied'})
        self.assertIn(value.strip('"\''), rich['data']['text/plain'])

    def test_everything_else_answers_while_a_cell_stands_still(self):
        code = debug['cell']
        self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        thread, _ = self.kernel.stopped()
        self.assertTrue(self.kernel.client.hb_channel.is_beating())
        for kind in ('kernel_info_request', 'usage_request'):
            self.assertEqual(self.kernel.reply(self.kernel.control(kind), kind).get('status', 'ok'), 'ok')
        status = self.kernel.reply(self.kernel.control('kernel_status_request'), 'kernel_status')
        self.assertEqual((status['execution_state'], status['debugger']['stopped']), ('stopped', 1))
        other = Debugged(self.kernel.manager)
        try:
            message = other.client.session.msg('execute_request', {'code': samples['print'].format(77), 'silent': False},
                                               metadata={'llmspell': {'namespace': 'fresh', 'source': '/elsewhere'}})
            other.client.shell_channel.send(message)
            run = message['header']['msg_id']
            self.assertEqual(other.done(run)['status'], 'ok')
            self.assertEqual(other.printed(run), '77\n')
            cell_of_another_language, printed = samples['other_magic']
            run = other.execute(cell_of_another_language)
            self.assertEqual(other.done(run)['status'], 'ok')
            self.assertEqual(other.printed(run), printed + '\n')
            other.client.complete(samples['kernel_test']['completion_samples'][0]['text'])
            self.assertEqual(other.client.get_shell_msg(timeout=WAIT)['content']['status'], 'ok')
        finally:
            other.stop()
        self.kernel.body('continue', {'threadId': thread})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')
        self.kernel.break_at(code)

    def test_an_interrupt_ends_the_cell_and_keeps_the_breakpoints(self):
        code = debug['cell']
        path, _ = self.kernel.break_at(code, debug['line'])
        for _ in range(2):
            cell = self.kernel.execute(code)
            self.check(self.kernel.stopped(), debug['line'])
            self.kernel.manager.interrupt_kernel()
            reply = self.kernel.done(cell)
            self.assertEqual((reply['status'], reply['ename']), ('error', samples['interrupted']))
            self.kernel.event('continued')
            self.assertEqual([b['source'] for b in self.kernel.body('debugInfo', {})['breakpoints']], [path])
        self.kernel.break_at(code)

    def test_a_second_front_end_sees_the_same_session(self):
        code = debug['cell']
        path, _ = self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        thread, _ = self.kernel.stopped()
        other = Debugged(self.kernel.manager)
        try:
            info, _ = other.start()
            self.assertEqual((info['isStarted'], info['stoppedThreads'], [b['source'] for b in info['breakpoints']]), (True, [thread], [path]))
            self.assertEqual(other.body('stackTrace', {'threadId': thread})['stackFrames'][0]['line'], debug['line'])
            other.body('continue', {'threadId': thread})
        finally:
            other.stop()
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')
        self.kernel.break_at(code)

    def test_disconnect_lets_the_cell_go_on_and_the_debugger_can_be_started_again(self):
        code = debug['cell']
        self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        self.kernel.stopped()
        self.kernel.body('disconnect', {'restart': False, 'terminateDebuggee': False})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')
        self.assertIs(self.kernel.body('debugInfo', {})['isStarted'], False)
        self.kernel.done(self.kernel.execute(code))
        self.kernel.start()
        self.kernel.break_at(code, debug['line'])
        cell = self.kernel.execute(code)
        thread, _ = self.kernel.stopped()
        self.kernel.body('continue', {'threadId': thread})
        self.kernel.done(cell)
        self.kernel.break_at(code)


class Restart(unittest.TestCase):
    def setUp(self):
        self.kernel = Debugged()
        self.addCleanup(lambda: self.kernel.stop())
        self.kernel.start()

    def stop_at(self, code):
        cell = self.kernel.execute(code)
        thread, frame = self.kernel.stopped()
        self.assertEqual(frame['line'], debug['line'])
        return cell, thread

    def test_in_place_while_stopped_keeps_session_and_breakpoints(self):
        code = debug['cell']
        path, _ = self.kernel.break_at(code, debug['line'])
        self.stop_at(code)
        message = self.kernel.client.session.msg('shutdown_request', {'restart': True}, metadata={'llmspell': {'inPlace': True}})
        self.kernel.client.control_channel.send(message)
        self.assertEqual(self.kernel.reply(message['header']['msg_id'], 'restart')['status'], 'ok')
        info = self.kernel.body('debugInfo', {})
        self.assertEqual((info['isStarted'], info['stoppedThreads'], [b['source'] for b in info['breakpoints']]), (True, [], [path]))
        cell, thread = self.stop_at(code)
        self.kernel.body('continue', {'threadId': thread})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')

    def test_of_the_process_keeps_breakpoints_and_the_names_of_cells(self):
        code = debug['cell']
        path, _ = self.kernel.break_at(code, debug['line'])
        self.stop_at(code)
        self.kernel.client.stop_channels()
        self.kernel.manager.restart_kernel(now=False)
        self.kernel.connect()
        info, _ = self.kernel.start()
        self.assertTrue(info['isStarted'])
        self.assertEqual([(of['source'], [at['line'] for at in of['breakpoints']]) for of in info['breakpoints']], [(path, [debug['line']])])
        again = self.kernel.body('setBreakpoints', {'source': {'path': path}, 'breakpoints': [{'line': debug['line']}]})['breakpoints']
        self.assertEqual(len(again), 1)
        cell, thread = self.stop_at(code)
        self.kernel.body('continue', {'threadId': thread})
        self.assertEqual(self.kernel.done(cell)['status'], 'ok')

    def test_shutdown_while_stopped(self):
        code = debug['cell']
        self.kernel.break_at(code, debug['line'])
        self.stop_at(code)
        process = self.kernel.manager.provisioner.process
        self.kernel.manager.request_shutdown()
        self.assertEqual(process.wait(20), 0)


class TwoKernels(unittest.TestCase):
    def test_both_of_one_kernelspec_stop_and_go_on_by_themselves(self):
        kernels = [Debugged(), Debugged()]
        for kernel in kernels:
            self.addCleanup(kernel.stop)
        code = debug['cell']
        cells, threads, prefixes = [], [], set()
        for kernel in kernels:
            info, _ = kernel.start()
            prefixes.add(info['tmpFilePrefix'])
            kernel.break_at(code, debug['line'])
            cells.append(kernel.execute(code))
        for kernel in kernels:
            thread, frame = kernel.stopped()
            self.assertEqual(frame['line'], debug['line'])
            threads.append(thread)
        self.assertEqual(len(prefixes), 1, 'JupyterLab keeps one prefix a kernelspec')
        kernels[1].body('continue', {'threadId': threads[1]})
        self.assertEqual(kernels[1].done(cells[1])['status'], 'ok')
        self.assertEqual(kernels[0].body('debugInfo', {})['stoppedThreads'], [threads[0]])
        kernels[0].body('continue', {'threadId': threads[0]})
        self.assertEqual(kernels[0].done(cells[0])['status'], 'ok')


def murmur2(data, seed):
    """MurmurHash2 of bytes, 32 bit, as front ends compute it."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (seed ^ len(data)) & mask
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at:at + 4], 'little') * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], 'little')) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


suite.main()
