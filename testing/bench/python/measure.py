"""Measures kernels from outside, over tcp, in interleaved rounds. One argument: a JSON file with what to measure.

Prints one JSON line for each number: kernel, row, value (or error). Nothing is judged here.
"""
import json
import os
import signal
import statistics
import sys
import time

import zmq
from kernels import Kernel
from wire import Message, WireError

plan = json.load(open(sys.argv[1]))
size = plan['size']
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def tell(kernel, row, value=None, error=None):
    print(json.dumps({'kernel': kernel, 'row': row, **({'error': error} if error else {'value': value})}), flush=True)


def ms(seconds):
    return seconds * 1000


def execute(spec, kernel, client):
    times = []
    for _ in range(size['executes']):
        began = time.perf_counter()
        client.execute('1 + 1')
        times.append(time.perf_counter() - began)
    return ms(statistics.median(times))


def complete(spec, kernel, client):
    code = spec['code']['complete']
    times = []
    for _ in range(size['completes']):
        began = time.perf_counter()
        client.request('complete_request', {'code': code, 'cursor_pos': len(code)})
        times.append(time.perf_counter() - began)
    return ms(statistics.median(times))


def pipelined(spec, kernel, client):
    count = size['pipelined']
    began = time.perf_counter()
    waiting = {client.ask_execute('1 + 1') for _ in range(count)}
    idle = set(waiting)
    while waiting or idle:
        ready = dict(client.poller.poll(60_000))
        if not ready:
            raise WireError(f'{len(waiting)} of {count} replies and {len(idle)} idles never came')
        for name in ('shell', 'iopub'):
            if client.sockets[name] not in ready:
                continue
            while True:
                try:
                    message = Message(client.sockets[name].recv_multipart(zmq.NOBLOCK), client.sign)
                except zmq.Again:
                    break
                if name == 'shell':
                    waiting.discard(message.parent['msg_id'])
                elif message.type == 'status' and message.content['execution_state'] == 'idle':
                    idle.discard(message.parent['msg_id'])
    return count / (time.perf_counter() - began)


def output(client, code, expected, problems, what):
    """Seconds until the last byte of what a cell prints has come; counts what is lost, late or out of order."""
    began = time.perf_counter()
    msg_id = client.ask_execute(code)
    iopub = client.sockets['iopub']
    parts, got, last = [], 0, began
    idle = replied = False
    late = 0
    quiet = 60_000
    while got < len(expected) or not idle or not replied:
        ready = dict(client.poller.poll(quiet))
        if not ready:
            break
        if client.sockets['shell'] in ready:
            replied = Message(client.sockets['shell'].recv_multipart(), client.sign).parent['msg_id'] == msg_id or replied
        if iopub not in ready:
            continue
        message = Message(iopub.recv_multipart(), client.sign)
        if message.type == 'stream':
            if idle or message.parent.get('msg_id') != msg_id:
                late += 1
            parts.append(message.content['text'])
            got += len(parts[-1])
            last = message.at
        elif message.type == 'status' and message.content['execution_state'] == 'idle' and message.parent.get('msg_id') == msg_id:
            idle = True
            quiet = 5_000  # what has not come by then is lost
    text = ''.join(parts)
    if late:
        problems.append(f'{what}: {late} messages after idle or under another cell')
    if text != expected:
        problems.append(f'{what}: {len(expected) - len(text)} of {len(expected)} bytes lost' if len(text) != len(expected) else f'{what}: out of order')
    return last - began


def several(spec, kernel, client, problems):
    clients = [kernel.client() for _ in range(8)]
    for each in clients:
        each.ready()
    each_does = size['clients']
    state = {}
    wrong = 0
    poller = zmq.Poller()
    by_socket = {}
    for number, each in enumerate(clients):
        each.drain(0.05)
        for name in ('shell', 'iopub'):
            poller.register(each.sockets[name], zmq.POLLIN)
            by_socket[each.sockets[name]] = (number, name)

    def ask(number, turn):
        msg_id = clients[number].ask_execute(f'{number} * 100000 + {turn}')
        state[number] = {'id': msg_id, 'turn': turn, 'reply': False, 'idle': False, 'result': None}

    began = time.perf_counter()
    for number in range(8):
        ask(number, 1)
    left = 8
    while left:
        ready = poller.poll(30_000)
        if not ready:
            raise WireError(f'8 clients: stuck at {state}')
        for socket, _ in ready:
            number, name = by_socket[socket]
            mine = state[number]
            message = Message(socket.recv_multipart(), clients[number].sign)
            if message.parent.get('msg_id') != mine['id']:
                wrong += name == 'shell'
                continue
            if name == 'shell':
                mine['reply'] = True
            elif message.type == 'execute_result':
                mine['result'] = message.content['data']['text/plain']
            elif message.type == 'status' and message.content['execution_state'] == 'idle':
                mine['idle'] = True
            if mine['reply'] and mine['idle']:
                if spec['code'].get('computes', True) and plain(mine['result']) != str(number * 100000 + mine['turn']):
                    wrong += 1
                if mine['turn'] < each_does:
                    ask(number, mine['turn'] + 1)
                else:
                    mine['reply'] = False
                    left -= 1
    took = time.perf_counter() - began
    for each in clients:
        each.close()
        kernel.clients.remove(each)
    if wrong:
        problems.append(f'8 clients: {wrong} of {8 * each_does} answers wrong or elsewhere')
    return 8 * each_does / took


def plain(text):
    import re
    return re.sub('\x1b\\[[0-9;]*m', '', text or '')


def interrupt(spec, kernel, client, problems):
    client.execute(spec['code']['set'])
    msg_id = client.ask_execute(spec['code']['loop'])
    while True:
        message = client.receive('iopub', 10)
        if message is None:
            raise WireError('no busy')
        if message.type == 'status' and message.parent.get('msg_id') == msg_id:
            break
    time.sleep(0.3)
    began = time.perf_counter()
    if spec['interrupt'] == 'message':
        client.send('control', 'interrupt_request')
    else:
        os.kill(kernel.pid, signal.SIGINT)
    while True:
        message = client.receive('iopub', 5)
        if message is None:
            problems.append('interrupt: ' + ('no effect' if kernel.alive() else 'the kernel dies'))
            raise WireError(problems[-1])
        if message.type == 'status' and message.content['execution_state'] == 'idle' and message.parent.get('msg_id') == msg_id:
            break
    took = message.at - began
    client.drain()
    if plain(client.execute(spec['code']['get']).result) != '42':
        problems.append('interrupt: state lost')
    return ms(took)


def one_round(spec):
    name, code, problems = spec['name'], spec['code'], []
    with Kernel(spec['argv'], env=spec.get('env'), cwd=spec.get('cwd')) as kernel:
        client = kernel.client()
        msg_id = client.send('shell', 'kernel_info_request')
        client.collect(msg_id, timeout=60, idle=False)
        tell(name, 'kernel_info', ms(time.perf_counter() - kernel.began))
        client.execute('1 + 1', timeout=60)
        tell(name, 'first_execute', ms(time.perf_counter() - kernel.began))
        client.ready()
        client.strays.clear()
        for _ in range(30):
            client.execute('1 + 1')
        time.sleep(1)
        tell(name, 'rss_idle', kernel.memory() / 2**20)
        tell(name, 'pss_idle', kernel.memory('Pss') / 2**20)

        lines, blocks = size['lines'], size['blocks']
        rows = {
            'execute': lambda: execute(spec, kernel, client),
            'complete': lambda: complete(spec, kernel, client),
            'pipelined': lambda: pipelined(spec, kernel, client),
            'lines': lambda: output(client, code['lines'].replace('LINES', str(lines)), ''.join(f'{i}\n' for i in range(lines)), problems, 'lines'),
            'bytes': lambda: output(client, code['bytes'].replace('BLOCKS', str(blocks)), ('x' * 65535 + '\n') * blocks, problems, '50 MB'),
            'clients': lambda: several(spec, kernel, client, problems),
        }
        if 'loop' in code:
            rows['interrupt'] = lambda: interrupt(spec, kernel, client, problems)
        for row, measure in rows.items():
            try:
                tell(name, row, measure())
            except WireError as error:
                tell(name, row, error=str(error)[:200])
                break
            client.drain()
            if row == 'clients':
                tell(name, 'rss_after', kernel.memory() / 2**20)
        for problem in problems:
            tell(name, 'problems', error=problem)


def memory_of_all(spec):
    """Every language of the kernel in use, in a fresh process."""
    with Kernel(spec['argv'], env=spec.get('env')) as kernel:
        client = kernel.client()
        client.ready(60)
        for language in spec['all_languages']:
            client.execute('1 + 1', metadata={'llmspell': {'language': language}}, timeout=60)
        time.sleep(1)
        tell(spec['name'], 'rss_all', kernel.memory() / 2**20)
        tell(spec['name'], 'pss_all', kernel.memory('Pss') / 2**20)


for number in range(plan['rounds']):
    for spec in plan['kernels']:
        print(f'round {number + 1} of {plan["rounds"]}: {spec["name"]}', file=sys.stderr, flush=True)
        try:
            one_round(spec)
            if 'all_languages' in spec:
                memory_of_all(spec)
        except (WireError, OSError) as error:
            tell(spec['name'], 'problems', error=str(error)[:300])
