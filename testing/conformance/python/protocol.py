"""The messaging protocol itself, frame by frame, as the Jupyter messaging documentation 5.5 and its JEPs word it."""
import functools
import sys
import threading
import time
import unittest

import suite
import zmq
from kernels import Kernel, kernelspec
from profiles import profile
from wire import Client, Message

name, samples = profile(sys.argv)
ours = name.startswith('llmspell-')
READY = 60


@functools.cache
def spec():
    """Looked up by the first test: listing the tests needs no installed kernel."""
    return kernelspec(name)


def only_ours(test):
    return test if ours else unittest.skip('more than the reference does')(test)


def has(*keys):
    missing = [key for key in keys if key not in samples]
    return unittest.skip(f'no sample: {missing}') if missing else lambda test: test


class KernelCase(unittest.TestCase):
    """Each class has one kernel, which every test must leave alive and idle."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel(spec()['argv'])
        cls.addClassCleanup(cls.kernel.stop)
        cls.client = cls.kernel.client()
        cls.info = cls.client.ready(READY).content

    def setUp(self):
        self.client.strays.clear()
        self.client.late.clear()

    def tearDown(self):
        self.assertTrue(self.kernel.alive(), self.kernel.printed()[-2000:])
        self.client.drain(0.05)
        self.assertEqual(self.client.late, [], 'published after the idle of its cell')

    def ok(self, exchange):
        self.assertEqual(exchange.status, 'ok', exchange)
        return exchange

    def interrupt(self):
        if spec().get('interrupt_mode') == 'message':
            # without a look at the other channels: what the interrupted cell says stays there
            self.client.send('control', 'interrupt_request')
            self.assertEqual(self.client.receive('control', 15).content['status'], 'ok')
        else:
            self.kernel.process.send_signal(2)

    def until_busy(self, msg_id):
        while True:
            message = self.client.receive('iopub')
            self.assertIsNotNone(message, 'no busy')
            if message.type == 'execute_input' and message.parent['msg_id'] == msg_id:
                return


class Requests(KernelCase):
    def test_kernel_info(self):
        info = self.ok(self.client.request('kernel_info_request')).content
        for field in ('protocol_version', 'implementation', 'implementation_version', 'language_info', 'banner', 'help_links'):
            self.assertIn(field, info)
        language = info['language_info']
        for field in ('name', 'version', 'mimetype', 'file_extension'):
            self.assertIsInstance(language[field], str)
        self.assertEqual((language['name'], language['file_extension']), (samples['language_info']['name'], samples['language_info']['file_extension']))

    def test_kernel_info_is_the_same_on_control(self):
        on_shell = self.client.request('kernel_info_request').content
        on_control = self.client.request('kernel_info_request', channel='control').content
        self.assertEqual(on_shell, on_control)

    @only_ours
    def test_one_protocol_version_everywhere(self):
        reply = self.client.request('kernel_info_request').reply
        self.assertEqual(reply.content['protocol_version'], '5.5')
        self.assertEqual(reply.header['version'], '5.5')
        self.assertEqual(spec()['metadata'].get('protocol_version', spec().get('kernel_protocol_version', '5.5')), '5.5')

    def test_busy_and_idle_around_every_request(self):
        content = {'code': samples['expression'], 'silent': False, 'cursor_pos': 1, 'detail_level': 0}
        for kind in ('kernel_info_request', 'execute_request', 'complete_request', 'inspect_request', 'is_complete_request', 'comm_info_request'):
            with self.subTest(kind=kind):
                exchange = self.client.request(kind, content)
                states = [m.content['execution_state'] for m in exchange.of('status')]
                self.assertEqual(states, ['busy', 'idle'])
                self.assertEqual((exchange.types[0], exchange.types[-1]), ('status', 'status'))

    @only_ours
    def test_busy_and_idle_around_control_requests(self):
        for kind in ('kernel_info_request', 'interrupt_request', 'usage_request', 'kernel_status_request'):
            with self.subTest(kind=kind):
                exchange = self.client.request(kind, channel='control')
                self.assertEqual([m.content['execution_state'] for m in exchange.of('status')], ['busy', 'idle'])

    def test_replies_name_their_request(self):
        exchange = self.client.request('kernel_info_request')
        self.assertEqual(exchange.reply.parent['session'], self.client.session)
        self.assertEqual(exchange.reply.type, 'kernel_info_reply')
        self.assertNotEqual(exchange.reply.header['session'], self.client.session)
        for message in exchange.published:
            self.assertEqual(message.parent['msg_type'], 'kernel_info_request')

    @only_ours
    def test_what_is_left_out_has_a_default(self):
        exchange = self.ok(self.client.request('execute_request', {'code': samples['expression']}))
        self.assertEqual(exchange.result, '42')
        for kind in ('complete_request', 'inspect_request', 'is_complete_request'):
            self.assertIn(self.client.request(kind, {'code': samples['complete_tab'][0]}).status, ('ok', 'complete', 'incomplete', 'invalid'))

    @only_ours
    def test_invented_requests_get_an_error_on_both_channels(self):
        for channel in ('shell', 'control'):
            for kind in ('invented_request', 'make_coffee_request', '_request'):
                with self.subTest(channel=channel, kind=kind):
                    exchange = self.client.request(kind, {'anything': 1}, channel=channel, timeout=10)
                    self.assertEqual(exchange.status, 'error')
                    self.assertTrue(exchange.content['ename'] and exchange.content['evalue'], exchange.content)
                    self.assertIsInstance(exchange.content['traceback'], list)

    def test_what_is_no_request_does_no_harm(self):
        for channel in ('shell', 'control'):
            for kind in ('execute_reply', 'x', '', 'status', 'input_reply'):
                self.client.send(channel, kind, {'anything': 1})
        self.client.drain(0.3)
        self.ok(self.client.request('kernel_info_request'))
        self.ok(self.client.request('kernel_info_request', channel='control'))

    @only_ours
    def test_usage(self):
        content = self.ok(self.client.request('usage_request', channel='control')).content
        self.assertIn('pid', content)
        self.assertGreater(content['kernel_memory'], 1_000_000)

    def test_comm_info_of_nothing(self):
        self.assertEqual(self.ok(self.client.request('comm_info_request', {'target_name': 'none'})).content['comms'], {})

    def test_a_request_without_subscriber_is_answered(self):
        with self.kernel.client(subscribe=False) as client:
            self.assertEqual(client.request('kernel_info_request', idle=False).status, 'ok')

    def test_unknown_fields_are_ignored(self):
        self.ok(self.client.request('kernel_info_request', {'more': {'than': 'expected'}}, metadata={'other': [1]}))

    @only_ours
    def test_replies_on_control_keep_the_order_of_the_requests(self):
        ids = [self.client.send('control', ('kernel_info_request', 'usage_request', 'interrupt_request')[i % 3]) for i in range(200)]
        answered = [self.client.receive('control').parent['msg_id'] for _ in ids]
        self.assertEqual(answered, ids)
        self.client.drain()
        self.client.done.update(ids)

    def test_heartbeat(self):
        for _ in range(20):
            self.client.heartbeat()


class Welcome(KernelCase):
    @only_ours
    def test_a_new_subscriber_is_welcomed(self):
        self.assertIn('iopub_welcome', [m.type for m in self.kernel_strays])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernel_strays = list(cls.client.strays)

    @only_ours
    def test_fifty_subscribers_while_it_prints(self):
        busy = self.client.ask_execute(samples['loop'])
        self.until_busy(busy)
        clients = [self.kernel.client() for _ in range(50)]
        for client in clients:
            welcome = client.receive('iopub', 10)
            self.assertEqual(welcome.type, 'iopub_welcome')
            self.assertEqual((welcome.parent, welcome.content['subscription']), ({}, ''))
        self.interrupt()
        self.client.collect(busy)
        for client in clients:
            client.close()

    @only_ours
    def test_a_topic_subscription_is_welcomed_with_its_topic(self):
        socket = self.client.context.socket(zmq.SUB)
        socket.linger = 0
        socket.setsockopt(zmq.SUBSCRIBE, b'no-such-topic')
        socket.connect(self.client.address('iopub'))
        self.assertTrue(socket.poll(10_000))
        welcome = Message(socket.recv_multipart(), self.client.sign)
        self.assertEqual((welcome.type, welcome.content['subscription']), ('iopub_welcome', 'no-such-topic'))
        self.client.execute(samples['expression'])
        self.assertEqual(socket.poll(200), 0, 'nothing else is of its topic')
        socket.close()


class Execution(KernelCase):
    def test_result_and_its_number(self):
        first = self.ok(self.client.execute(samples['expression']))
        second = self.ok(self.client.execute(samples['expression']))
        self.assertEqual(first.result, '42')
        self.assertEqual(second.content['execution_count'], first.content['execution_count'] + 1)
        self.assertEqual(second.of('execute_result')[0].content['execution_count'], second.content['execution_count'])
        self.assertEqual(second.of('execute_input')[0].content, {'code': samples['expression'], 'execution_count': second.content['execution_count']})

    def test_order_of_publications(self):
        exchange = self.client.execute(samples['mixed_output'])
        self.assertEqual(exchange.status, 'error')
        self.assertEqual(exchange.types, ['status', 'execute_input', 'stream', 'stream', 'display_data', 'stream', 'error', 'status'])
        self.assertEqual(exchange.stream(), 'one\nfour\n')
        self.assertEqual(exchange.stream('stderr'), 'two\n')

    def test_output_is_complete_and_before_idle(self):
        count = 20_000
        exchange = self.ok(self.client.execute(samples['lines'].format(count), timeout=120))
        self.assertEqual(exchange.stream(), ''.join(f'{i}\n' for i in range(count)))

    @only_ours
    def test_the_reply_comes_after_the_output_is_sent(self):
        # both travel on their own sockets: what counts is that nothing of the cell is published after its reply went out
        exchange = self.ok(self.client.execute(samples['lines'].format(2000)))
        stamps = [m.header['date'] for m in exchange.of('stream')]
        self.assertLessEqual(max(stamps), exchange.reply.header['date'])

    def test_error_in_reply_and_publication(self):
        exchange = self.client.execute(samples['error'])
        error = exchange.of('error')[0].content
        self.assertEqual((exchange.status, error['ename']), ('error', samples['ename']))
        for field in ('ename', 'evalue', 'traceback'):
            self.assertEqual(exchange.content[field], error[field])
        self.assertIn('execution_count', exchange.content)
        self.assertTrue(all(isinstance(line, str) for line in error['traceback']) and error['traceback'])

    def test_syntax_error_shows(self):
        exchange = self.client.execute(samples['syntax_error'])
        self.assertEqual(exchange.status, 'error')
        self.assertEqual(len(exchange.of('error')), 1)

    def test_empty_code(self):
        before = self.ok(self.client.execute(samples['expression'])).content['execution_count']
        exchange = self.ok(self.client.execute(''))
        self.assertEqual(exchange.of('execute_result'), [])
        self.assertGreaterEqual(exchange.content['execution_count'], before)

    def test_silent(self):
        before = self.client.execute(samples['expression']).content['execution_count']
        exchange = self.ok(self.client.execute(samples['set'], silent=True))
        self.assertEqual([t for t in exchange.types if t in ('execute_input', 'execute_result')], [])
        after = self.client.execute(samples['get'])
        self.assertEqual(after.result, '42', 'a silent cell takes effect')
        self.assertEqual(after.content['execution_count'], before + 1, 'and is not counted')

    def test_silent_shows_no_result(self):
        exchange = self.ok(self.client.execute(samples['expression'], silent=True))
        self.assertEqual(exchange.types, ['status', 'status'])

    def test_without_history(self):
        before = self.client.execute(samples['expression']).content['execution_count']
        self.ok(self.client.execute(samples['expression'] + ' + 1000', store_history=False))
        self.assertEqual(self.client.execute(samples['expression']).content['execution_count'], before + 1, 'it is not counted')
        tail = self.client.request('history_request', {'hist_access_type': 'tail', 'n': 10, 'raw': True, 'output': False}).content['history']
        self.assertNotIn(samples['expression'] + ' + 1000', [entry[2] for entry in tail])

    def test_user_expressions(self):
        self.client.execute(samples['set'])
        values = self.ok(self.client.execute('', user_expressions={'good': samples['get'], 'bad': samples['missing']})).content['user_expressions']
        self.assertEqual(values['good']['status'], 'ok')
        self.assertEqual(values['good']['data']['text/plain'], '42')
        self.assertEqual(values['bad']['status'], 'error')
        self.assertTrue(values['bad']['ename'])

    def test_no_user_expressions_after_an_error(self):
        content = self.client.execute(samples['error'], user_expressions={'x': '1'}).content
        self.assertIn(content.get('user_expressions', {}), ({}, None))

    def test_stop_on_error_aborts_what_is_queued(self):
        slow = self.client.ask_execute(samples['lines'].format(3000) + '\n' + samples['error'])
        queued = [self.client.ask_execute(samples['expression']) for _ in range(3)]
        self.assertEqual(self.client.receive('shell', 30).content['status'], 'error')
        replies = [self.client.receive('shell', 30) for _ in queued]
        self.assertEqual([(m.parent['msg_id'], m.content['status']) for m in replies], [(each, 'aborted') for each in queued])
        self.client.drain()
        self.client.done.update([slow, *queued])
        self.ok(self.client.execute(samples['expression']))

    def test_without_stop_on_error_the_queue_goes_on(self):
        self.client.ask_execute(samples['error'], stop_on_error=False)
        queued = [self.client.ask_execute(samples['expression']) for _ in range(3)]
        self.assertEqual(self.client.receive('shell', 30).content['status'], 'error')
        self.assertEqual([self.client.receive('shell', 30).content['status'] for _ in queued], ['ok'] * 3)
        self.client.drain()
        self.client.done.update(queued)

    @only_ours
    def test_aborted_cells_are_busy_and_idle_too(self):
        self.client.ask_execute(samples['lines'].format(3000) + '\n' + samples['error'])
        queued = self.client.ask_execute(samples['expression'])
        exchange = self.client.collect(queued)
        self.assertEqual(exchange.status, 'aborted')
        self.assertEqual([m.content['execution_state'] for m in exchange.of('status')], ['busy', 'idle'])

    @only_ours
    def test_another_clients_error_does_not_lose_its_reply(self):
        with self.kernel.client() as other:
            other.ready()
            mine = self.client.ask_execute(samples['lines'].format(3000) + '\n' + samples['error'])
            theirs = other.ask_execute(samples['expression'])
            self.assertEqual(self.client.collect(mine).status, 'error')
            self.assertIn(other.collect(theirs).status, ('ok', 'aborted'))

    def test_clients_see_each_others_input_and_only_their_own_replies(self):
        with self.kernel.client() as other:
            other.ready()
            msg_id = self.client.ask_execute(samples['expression'])
            self.client.collect(msg_id)
            seen = []
            while not seen or seen[-1].type != 'status' or seen[-1].content['execution_state'] != 'idle':
                message = other.receive('iopub')
                if message.parent.get('msg_id') == msg_id:
                    seen.append(message)
            self.assertIn('execute_input', [m.type for m in seen])
            self.assertIsNone(other.receive('shell', 0.2))

    def test_two_clients_race(self):
        other = self.kernel.client()
        other.ready()
        counts = {}

        def go(client):
            counts[client] = [client.execute(samples['expression']).content['execution_count'] for _ in range(100)]

        threads = [threading.Thread(target=go, args=(c,)) for c in (self.client, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for each in counts.values():
            self.assertEqual(each, sorted(each))
        both = sorted(counts[self.client] + counts[other])
        self.assertEqual(both, list(range(both[0], both[0] + 200)))
        other.close()

    @only_ours
    @has('late')
    def test_late_output_belongs_to_its_cell(self):
        msg_id = self.client.ask_execute(samples['late'])
        self.ok(self.client.collect(msg_id))
        late = []
        end = time.monotonic() + 10
        while time.monotonic() < end and not late:
            message = self.client.receive('iopub', 1)
            if message is not None and message.type == 'stream':
                late.append(message)
        self.assertEqual([(m.parent['msg_id'], m.content['text']) for m in late], [(msg_id, 'late\n')])

    @only_ours
    @has('other_magic')
    def test_a_magic_line_picks_another_language(self):
        code, printed = samples['other_magic']
        self.assertEqual(self.ok(self.client.execute(code)).stream(), printed + '\n')

    @only_ours
    @has('state_write', 'other_magic')
    def test_state_is_shared_between_languages(self):
        self.ok(self.client.execute(samples['state_write']))
        lua = samples['language_info']['name'] == 'lua'
        code = '%%js\nconsole.log(await State.get("shared"))' if lua else '%%lua\nprint(State.get("shared"))'
        self.assertEqual(self.ok(self.client.execute(code)).stream(), '5\n')


class Displays(KernelCase):
    def test_display_update_and_clear(self):
        shown = self.ok(self.client.execute(samples['display'])).of('display_data')[0].content
        self.assertEqual(shown['transient']['display_id'], 'shown')
        exchange = self.ok(self.client.execute(samples['update']))
        updated = exchange.of('update_display_data')[0].content
        self.assertEqual(updated['transient']['display_id'], 'shown')
        self.assertIn('second', updated['data']['text/plain'])
        cleared = self.ok(self.client.execute(samples['clear_wait'])).of('clear_output')[0].content
        self.assertEqual(cleared, {'wait': True})

    def test_html_comes_with_plain_text(self):
        data = self.ok(self.client.execute(samples['html'])).of('display_data')[0].content['data']
        self.assertEqual(data['text/html'], '<b>bold</b>')
        self.assertIn('text/plain', data)


class Introspection(KernelCase):
    TEXTS = ['plain', 'é', '한글', '😀 emoji', 'a\u0301 combining', '👩‍👩‍👧 family', 'mixed 😀한é']

    def test_completion_offsets_are_code_points(self):
        template, wanted = samples['complete_in']
        for text in self.TEXTS:
            with self.subTest(text=text):
                code = template.format(text=text)
                content = self.ok(self.client.request('complete_request', {'code': code, 'cursor_pos': len(code)})).content
                self.assertIn(wanted, content['matches'])
                self.assertTrue(wanted.startswith(code[content['cursor_start']:content['cursor_end']]), content)
                self.assertEqual(content['cursor_end'], len(code))

    def test_completion_at_every_offset(self):
        template, _ = samples['complete_in']
        code = template.format(text='😀한é')
        for offset in [*range(len(code) + 1)] + ([len(code) + 5, 10_000, -1] if ours else []):
            with self.subTest(offset=offset):
                content = self.ok(self.client.request('complete_request', {'code': code, 'cursor_pos': offset})).content
                self.assertLessEqual(content['cursor_start'], content['cursor_end'])
                self.assertLessEqual(content['cursor_end'], len(code))

    def test_completion_at_the_start_is_not_at_the_end(self):
        code = samples['complete_tab'][0]
        content = self.ok(self.client.request('complete_request', {'code': code, 'cursor_pos': 0})).content
        self.assertEqual(content['cursor_end'], 0)

    def test_inspection(self):
        code = samples['kernel_test']['code_inspect_sample']
        content = self.ok(self.client.request('inspect_request', {'code': code, 'cursor_pos': len(code), 'detail_level': 0})).content
        self.assertTrue(content['found'])
        self.assertIn('text/plain', content['data'])
        nothing = self.ok(self.client.request('inspect_request', {'code': 'no_such_thing_here', 'cursor_pos': 3, 'detail_level': 0})).content
        self.assertEqual((nothing['found'], nothing['data']), (False, {}))

    def test_inspection_behind_emoji(self):
        sample = samples['kernel_test']['code_inspect_sample']
        code = samples['complete_in'][0].format(text='😀😀').rsplit(';', 1)[0] + '; ' + sample
        content = self.ok(self.client.request('inspect_request', {'code': code, 'cursor_pos': len(code), 'detail_level': 0})).content
        self.assertTrue(content['found'])

    def test_is_complete(self):
        for status in ('complete', 'incomplete', 'invalid'):
            for code in samples['kernel_test'][f'{status}_code_samples']:
                with self.subTest(code=code):
                    content = self.client.request('is_complete_request', {'code': code}).content
                    self.assertEqual(content['status'], status)
                    self.assertEqual('indent' in content, status == 'incomplete')

    def test_history(self):
        codes = [f"{samples['expression']} + {n}" for n in (701, 702, 703)]
        for code in codes:
            self.ok(self.client.execute(code))
        ask = lambda **more: self.ok(self.client.request('history_request', {'raw': True, 'output': False, **more})).content['history']  # noqa: E731
        tail = ask(hist_access_type='tail', n=3)
        self.assertEqual([entry[2] for entry in tail], codes)
        with_output = self.client.request('history_request', {'raw': True, 'output': True, 'hist_access_type': 'tail', 'n': 1}).content['history']
        self.assertEqual(with_output[0][2][0], codes[-1])
        self.assertEqual([entry[2] for entry in ask(hist_access_type='search', pattern='*+ 70?', n=2)], codes[-2:])
        again = [self.ok(self.client.execute(codes[0])) for _ in range(2)]
        self.assertTrue(again)
        self.assertEqual(len(ask(hist_access_type='search', pattern='*+ 701', n=10, unique=True)), 1)
        session, line, _ = tail[0]
        in_range = ask(hist_access_type='range', session=session if ours else 0, start=line, stop=line + 2)
        self.assertEqual([entry[2] for entry in in_range], codes[:2])


class Stdin(KernelCase):
    @has('input')
    def test_input(self):
        exchange = self.ok(self.client.execute(samples['input'], answer=lambda m: 'Ann 😀'))
        self.assertEqual(exchange.stream(), 'Hello Ann 😀\n')
        self.assertEqual([(m.content['prompt'], m.content['password']) for m in exchange.requests], [('Who? ', False)])
        self.assertEqual(exchange.requests[0].parent['msg_type'], 'execute_request')

    @has('password')
    def test_password(self):
        exchange = self.ok(self.client.execute(samples['password'], answer=lambda m: 'secret'))
        self.assertTrue(exchange.requests[0].content['password'])
        self.assertEqual(exchange.stream(), '6\n')

    @has('input')
    def test_input_that_is_not_allowed_is_an_error(self):
        exchange = self.client.execute(samples['input'], allow_stdin=False, timeout=10)
        self.assertEqual(exchange.status, 'error')
        self.assertTrue(exchange.content['evalue'])

    @has('input')
    def test_only_the_one_who_executes_is_asked(self):
        with self.kernel.client() as other:
            other.ready()
            self.ok(self.client.execute(samples['input'], answer=lambda m: 'x'))
            self.assertIsNone(other.receive('stdin', 0.2))

    @has('input')
    def test_an_interrupt_ends_the_wait(self):
        msg_id = self.client.ask_execute(samples['input'], allow_stdin=True)
        self.assertEqual(self.client.receive('stdin', 10).type, 'input_request')
        self.client.drain(0.2)
        self.interrupt()
        # Its reply may come before that of the interrupt.
        early = [m for m in self.client.strays if m.type == 'execute_reply']
        reply = early[0] if early else self.client.receive('shell', 10)
        self.assertEqual(reply.content['status'], 'error')
        self.client.drain()
        self.client.done.add(msg_id)
        self.ok(self.client.execute(samples['input'], answer=lambda m: 'again'))

    @only_ours
    @has('input')
    def test_an_answer_that_nobody_asked_for_is_ignored(self):
        self.client.send('stdin', 'input_reply', {'value': 'stray'})
        exchange = self.ok(self.client.execute(samples['input'], answer=lambda m: 'right'))
        self.assertEqual(exchange.stream(), 'Hello right\n')


class Interrupts(KernelCase):
    def start(self, code):
        msg_id = self.client.ask_execute(code)
        self.until_busy(msg_id)
        time.sleep(0.3)
        return msg_id

    def stopped(self, msg_id):
        # On a busy machine it may have come together with the reply to the interrupt.
        early = [m for m in self.client.strays if m.type == 'execute_reply']
        while True:
            reply = early.pop(0) if early else self.client.receive('shell', 15)
            self.assertIsNotNone(reply, 'it goes on')
            if reply.parent['msg_id'] == msg_id:
                break
        self.client.drain()
        self.client.done.add(msg_id)
        return reply.content

    def test_a_loop_stops_and_variables_stay(self):
        self.client.execute(samples['set'])
        msg_id = self.start(samples['loop'])
        self.interrupt()
        content = self.stopped(msg_id)
        self.assertEqual((content['status'], content['ename']), ('error', samples['interrupted']))
        self.assertEqual(self.client.execute(samples['get']).result, '42')

    def test_a_wait_stops(self):
        msg_id = self.start(samples['waits'])
        self.interrupt()
        self.assertEqual(self.stopped(msg_id)['status'], 'error')

    def test_queued_cells_are_aborted(self):
        msg_id = self.start(samples['loop'])
        queued = [self.client.ask_execute(samples['expression']) for _ in range(2)]
        self.interrupt()
        self.assertEqual(self.client.receive('shell', 15).parent['msg_id'], msg_id)
        self.assertEqual([self.client.receive('shell', 15).content['status'] for _ in queued], ['aborted'] * 2)
        self.client.drain()
        self.client.done.update([msg_id, *queued])

    @only_ours
    def test_twenty_interrupts_in_a_row_do_no_harm(self):
        msg_id = self.start(samples['loop'])
        ids = [self.client.send('control', 'interrupt_request') for _ in range(20)]
        self.assertEqual([self.client.receive('control', 15).content['status'] for _ in ids], ['ok'] * 20)
        self.stopped(msg_id)
        self.client.done.update(ids)
        self.assertEqual(self.ok(self.client.execute(samples['expression'])).result, '42')

    @only_ours
    def test_an_interrupt_while_idle_does_nothing(self):
        for _ in range(3):
            self.ok(self.client.request('interrupt_request', channel='control'))
        self.assertEqual(self.ok(self.client.execute(samples['expression'])).result, '42')

    @only_ours
    def test_a_signal_interrupts_too(self):
        self.client.execute(samples['set'])
        msg_id = self.start(samples['loop'])
        self.kernel.process.send_signal(2)
        self.assertEqual(self.stopped(msg_id)['ename'], samples['interrupted'])
        self.kernel.process.send_signal(2)
        self.assertEqual(self.client.execute(samples['get']).result, '42')

    @only_ours
    def test_everything_else_answers_meanwhile(self):
        msg_id = self.start(samples['loop'])
        with self.kernel.client() as other:
            for _ in range(5):
                self.assertEqual(other.request('kernel_info_request', channel='control', idle=False, timeout=5).status, 'ok')
                other.heartbeat(5)
                code = samples['complete_tab'][0]
                content = other.request('complete_request', {'code': code, 'cursor_pos': len(code)}, idle=False, timeout=5).content
                self.assertIn(samples['complete_tab'][1], content['matches'])
                self.assertEqual(other.request('is_complete_request', {'code': '1'}, idle=False, timeout=5).content['status'], 'complete')
                self.assertEqual(other.request('kernel_info_request', idle=False, timeout=5).status, 'ok')
            status = other.request('kernel_status_request', channel='control', idle=False, timeout=5).content
            self.assertEqual(status['execution_state'], 'busy')
            self.assertIn(msg_id, [each['msg_id'] for each in status['executions']])
        self.interrupt()
        self.stopped(msg_id)


class Comms(KernelCase):
    def opened(self):
        comms = self.ok(self.client.request('comm_info_request')).content['comms']
        return {key: value['target_name'] for key, value in comms.items()}

    @has('comm_target')
    def test_a_front_end_opens_a_comm(self):
        self.ok(self.client.execute(samples['comm_target']))
        opened = self.client.send('shell', 'comm_open', {'comm_id': 'c1', 'target_name': 'echo', 'data': {'value': 7}})
        self.assertEqual(self.next_comm(opened).content['data'], {'opened': 7})
        self.assertEqual(self.opened().get('c1'), 'echo')
        sent = self.client.send('shell', 'comm_msg', {'comm_id': 'c1', 'data': {'value': 8}}, buffers=[b'\0\1\2'])
        answer = self.next_comm(sent)
        self.assertEqual((answer.content['comm_id'], answer.content['data']), ('c1', {'got': 8, 'len': 1}))
        self.client.send('shell', 'comm_close', {'comm_id': 'c1', 'data': {}})
        self.client.drain(0.3)
        self.assertNotIn('c1', self.opened())

    def next_comm(self, msg_id):
        while True:
            message = self.client.receive('iopub', 10)
            self.assertIsNotNone(message, 'no comm message')
            if message.type == 'comm_msg':
                self.assertEqual(message.parent['msg_id'], msg_id)
                self.client.drain(0.2)
                return message

    def test_a_target_that_does_not_exist_is_closed(self):
        self.client.send('shell', 'comm_open', {'comm_id': 'c2', 'target_name': 'no such target', 'data': {}})
        while True:
            message = self.client.receive('iopub', 10)
            self.assertIsNotNone(message, 'no comm_close')
            if message.type == 'comm_close':
                self.assertEqual(message.content['comm_id'], 'c2')
                break
        self.client.drain()

    @has('comm_open')
    def test_a_script_opens_a_comm(self):
        exchange = self.ok(self.client.execute(samples['comm_open']))
        kinds = [(m.type, m.content['data']) for m in exchange.published if m.type.startswith('comm')]
        self.assertEqual(kinds, [('comm_open', {'hello': 1}), ('comm_msg', {'more': 2}), ('comm_close', {})])

    def test_messages_to_unknown_comms_do_no_harm(self):
        self.client.send('shell', 'comm_msg', {'comm_id': 'none', 'data': {}})
        self.client.send('shell', 'comm_close', {'comm_id': 'none', 'data': {}})
        self.ok(self.client.execute(samples['expression']))


class Shared(KernelCase):
    """A kernel that no client owns: nobody ends it by leaving, and it restarts in place."""

    @classmethod
    def setUpClass(cls):
        if not ours:
            raise unittest.SkipTest('more than the reference does')
        cls.kernel = Kernel([*spec()['argv'], '--started-by', 'foreground'])
        cls.addClassCleanup(cls.kernel.stop)
        cls.client = cls.kernel.client()
        cls.client.ready(READY)

    def shutdown(self, **content):
        return self.client.request('shutdown_request', content, channel='control', timeout=30, idle=False)

    def test_a_leaving_client_does_not_end_it(self):
        self.client.execute(samples['set'])
        content = self.shutdown(restart=False).content
        self.assertEqual((content['status'], content['restart'], content['llmspell']), ('ok', False, {'detached': True}))
        self.client.drain()
        self.assertEqual(self.client.execute(samples['get']).result, '42')

    def test_restart_in_place(self):
        self.client.execute(samples['set'])
        self.assertEqual(self.shutdown(restart=True).content, {'status': 'ok', 'restart': True})
        self.client.drain()
        exchange = self.client.execute(samples['get'])
        self.assertEqual((exchange.status, exchange.content['execution_count']), ('error', 1))

    def test_restart_during_a_loop(self):
        msg_id = self.client.ask_execute(samples['loop'])
        self.until_busy(msg_id)
        self.assertEqual(self.shutdown(restart=True).status, 'ok')
        self.client.drain(0.5)
        self.client.done.add(msg_id)
        self.assertEqual(self.ok(self.client.execute(samples['expression'])).result, '42')

    def test_what_ran_at_a_restart_is_answered(self):
        running = self.client.ask_execute(samples['loop'])
        self.until_busy(running)
        queued = self.client.ask_execute(samples['expression'])
        self.assertEqual(self.shutdown(restart=True).status, 'ok')
        end = time.monotonic() + 15
        answered = {}
        strays = [m for m in self.client.strays if m.type == 'execute_reply']
        while len(answered) < 2 and time.monotonic() < end:
            message = strays.pop(0) if strays else self.client.receive('shell', 1)
            if message is not None:
                answered[message.parent['msg_id']] = message.content['status']
        self.assertIn(answered.get(running), ('error', 'aborted'))
        self.assertIn(answered.get(queued), ('error', 'aborted'))
        self.client.drain()
        self.client.done.update(answered)


class Shutdown(unittest.TestCase):
    def test_shutdown_replies_publishes_and_ends(self):
        with Kernel(spec()['argv']) as kernel:
            client = kernel.client()
            client.ready(READY)
            exchange = client.request('shutdown_request', {'restart': False}, channel='control', timeout=15, idle=False)
            self.assertEqual((exchange.content['status'], exchange.content['restart']), ('ok', False))
            client.drain(0.5)
            said = [m.content for m in [*exchange.published, *client.strays, *client.late] if m.type == 'shutdown_reply']
            self.assertEqual([c['restart'] for c in said], [False], 'other clients are told on iopub')
            self.assertEqual(kernel.process.wait(10), 0)

    def test_a_restart_by_its_owner_ends_the_process(self):
        # a manager waits for that, and starts it anew on the same ports
        with Kernel(spec()['argv']) as kernel:
            client = kernel.client()
            client.ready(READY)
            exchange = client.request('shutdown_request', {'restart': True}, channel='control', timeout=15, idle=False)
            self.assertEqual((exchange.content['status'], exchange.content['restart']), ('ok', True))
            self.assertEqual(kernel.process.wait(10), 0)

    def test_it_ends_when_its_parent_dies(self):
        import os
        import subprocess
        # a parent that starts the kernel and dies without a word
        with Kernel([sys.executable, '-c', 'import time; time.sleep(0)']) as place:
            argv = [a.replace('{connection_file}', place.file) for a in spec()['argv']]
            starter = f'import os, subprocess\nos.environ["JPY_PARENT_PID"] = str(os.getpid())\np = subprocess.Popen({argv!r})\nprint(p.pid, flush=True)\nimport time; time.sleep(120)'
            parent = subprocess.Popen([sys.executable, '-c', starter], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            pid = int(parent.stdout.readline())
            with Client(place.connection) as client:
                client.ready(READY)
            parent.kill()
            parent.wait()
            end = time.monotonic() + 15
            while os.path.exists(f'/proc/{pid}') and time.monotonic() < end:
                time.sleep(0.1)
            gone = not os.path.exists(f'/proc/{pid}')
            if not gone:
                os.kill(pid, 9)
            self.assertTrue(gone, 'it stays behind as an orphan')

    @only_ours
    def test_a_taken_port_is_told_with_an_exit_code_of_its_own(self):
        import json
        import subprocess
        with Kernel(spec()['argv']) as kernel:
            kernel.client().ready(READY)
            argv = [a.replace('{connection_file}', kernel.file) for a in spec()['argv']]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 98, done.stderr)
            self.assertRegex(done.stderr, r'port|address')
            self.assertLessEqual(len(done.stderr.strip().split('\n')), 2)
            with open(kernel.file) as file:
                self.assertEqual(json.load(file)['key'], kernel.connection['key'], 'and leaves the connection file alone')
            self.assertEqual(kernel.client().request('kernel_info_request').status, 'ok')

    def test_ipc(self):
        import tempfile
        with tempfile.TemporaryDirectory(prefix='li-') as folder:
            ports = {'shell_port': 1, 'iopub_port': 2, 'stdin_port': 3, 'control_port': 4, 'hb_port': 5}
            with Kernel(spec()['argv'], transport='ipc', ip=f'{folder}/k', **ports) as kernel:
                client = kernel.client()
                client.ready(READY)
                self.assertEqual(client.execute(samples['expression']).result, '42')
                client.heartbeat()

    @only_ours
    def test_sha512_signatures(self):
        with Kernel(spec()['argv'], signature_scheme='hmac-sha512') as kernel:
            client = kernel.client()
            client.ready(READY)
            self.assertEqual(client.execute(samples['expression']).result, '42')

    def test_an_unknown_word_in_its_arguments(self):
        with Kernel([*spec()['argv'], 'some-file.lua', '--unknown=1'] if ours else spec()['argv']) as kernel:
            kernel.client().ready(READY)


suite.main()
