"""Jupyter's own programs: nbclient, `jupyter nbconvert --execute`, `jupyter run`, `jupyter console` (its own kernel, and --existing)."""
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import jupyter_client
import nbformat
import pexpect
import suite
from jupyter_client.kernelspec import KernelSpecManager
from kernels import Kernel, kernelspec
from nbclient import NotebookClient
from profiles import profile

name, samples = profile(sys.argv)
IN = r'In \[\d+\]: ?'
# on a busy machine one second for is_complete is too little, and the console then stops asking
OPTIONS = ['--no-confirm-exit', '--ZMQTerminalInteractiveShell.kernel_is_complete_timeout=20', '--ZMQTerminalInteractiveShell.kernel_timeout=60']


def notebook(sources):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nb.metadata.kernelspec = {'name': name, 'display_name': name, 'language': samples['language_info']['name']}
    return nb


def outputs(cell):
    """What a cell shows, as (kind, what) pairs; neighbouring pieces of one stream are one."""
    seen = []
    for output in cell.outputs:
        kind = output.output_type
        if kind == 'stream':
            if seen and seen[-1][0] == output.name:
                seen[-1] = (output.name, seen[-1][1] + output.text)
            else:
                seen.append((output.name, output.text))
        elif kind == 'error':
            seen.append(('error', output.ename))
        else:
            seen.append((kind, output.data.get('text/html') or output.data.get('text/plain')))
    return seen


CELLS = [
    (samples['set'], []),
    (samples['get'], [('execute_result', '42')]),
    (samples['print'].format(5), [('stdout', '5\n')]),
    (samples['html'], [('display_data', '<b>bold</b>')]),
    (samples['error'], [('error', samples['ename'])]),
    (samples['lines'].format(3000), [('stdout', ''.join(f'{i}\n' for i in range(3000)))]),
    (samples['get'], [('execute_result', '42')]),
]
if 'other_magic' in samples:
    CELLS += [
        (samples['state_write'], None),
        (samples['other_magic'][0], [('stdout', samples['other_magic'][1] + '\n')]),
        (samples['state_read'], [('stdout', '5\n')]),
    ]


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix='lc-')
        self.addCleanup(self.dir.cleanup)

    def path(self, file):
        return os.path.join(self.dir.name, file)

    def run_program(self, *argv, timeout=120, **more):
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, cwd=self.dir.name, **more)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        return done.stdout

    def check(self, nb):
        nbformat.validate(nb)
        for cell, (source, wanted) in zip(nb.cells, CELLS):
            if wanted is not None:
                with self.subTest(source=source):
                    self.assertEqual(outputs(cell), wanted)


class Kernelspecs(Files):
    def test_kernelspec_is_found_by_jupyter(self):
        self.assertIn(name, self.run_program('jupyter', 'kernelspec', 'list'))
        spec = KernelSpecManager().get_kernel_spec(name)
        self.assertEqual(spec.language, samples['language_info']['name'])

    def test_kernelspec_has_absolute_argv_logos_and_message_interrupts(self):
        if name == 'python3':
            self.skipTest('the reference has none of these')
        spec = KernelSpecManager().get_kernel_spec(name)
        for word in spec.argv[:2]:
            self.assertTrue(os.path.isabs(word) and os.path.exists(word), word)
        self.assertEqual(spec.interrupt_mode, 'message')
        for logo in ('logo-32x32.png', 'logo-64x64.png', 'logo-svg.svg'):
            self.assertTrue(os.path.exists(os.path.join(spec.resource_dir, logo)), logo)


class Notebooks(Files):
    def test_nbclient(self):
        nb = notebook([source for source, _ in CELLS])
        NotebookClient(nb, timeout=60, kernel_name=name, allow_errors=True).execute()
        self.check(nb)

    def test_nbclient_twice_in_one_kernel(self):
        nb = notebook([source for source, _ in CELLS] * 2)
        NotebookClient(nb, timeout=60, kernel_name=name, allow_errors=True).execute()
        for cell, (source, wanted) in zip(nb.cells, CELLS * 2):
            if wanted is not None:
                with self.subTest(source=source):
                    self.assertEqual(outputs(cell), wanted)

    def test_nbclient_stops_at_an_error(self):
        nb = notebook([samples['set'], samples['error'], samples['get']])
        with self.assertRaisesRegex(Exception, samples['ename']):
            NotebookClient(nb, timeout=60, kernel_name=name).execute()
        self.assertEqual(nb.cells[2].outputs, [])

    def test_nbconvert_execute(self):
        nbformat.write(notebook([source for source, _ in CELLS]), self.path('in.ipynb'))
        self.run_program('jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--allow-errors', '--output', 'out.ipynb', 'in.ipynb')
        self.check(nbformat.read(self.path('out.ipynb'), 4))

    def test_nbconvert_to_html(self):
        nbformat.write(notebook([samples['html'], samples['print'].format(77)]), self.path('in.ipynb'))
        self.run_program('jupyter', 'nbconvert', '--to', 'html', '--execute', 'in.ipynb')
        with open(self.path('in.html')) as file:
            page = file.read()
        self.assertIn('<b>bold</b>', page)
        self.assertIn('77', page)

    def test_jupyter_execute(self):
        nbformat.write(notebook([samples['write_file'].format(self.path('proof'))]), self.path('in.ipynb'))
        self.run_program('jupyter', 'execute', 'in.ipynb')
        self.assertTrue(os.path.exists(self.path('proof')))


class Run(Files):
    def jupyter_run(self, *args, **more):
        # It waits for no subscription: a kernel that answers before one stands has lost its output, and `jupyter run` waits for it in vain.
        for left in reversed(range(5 if name == 'python3' else 1)):
            try:
                self.run_program('jupyter', 'run', f'--kernel={name}', *args, **more)
                break
            except AssertionError:
                if not left:
                    raise
        with open(self.path('proof')) as file:  # jupyter_client 7 shows no output
            self.assertEqual(file.read(), 'written')

    def test_jupyter_run_of_a_file(self):
        # its name reaches the kernel's own arguments as well, which must not mind
        with open(self.path('script'), 'w') as file:
            file.write(samples['write_file'].format(self.path('proof')))
        self.jupyter_run(self.path('script'))

    def test_jupyter_run_of_standard_input(self):
        self.jupyter_run(input=samples['write_file'].format(self.path('proof')))

    def test_jupyter_run_fails_for_a_failing_script(self):
        with open(self.path('script'), 'w') as file:
            file.write(samples['error'])
        done = subprocess.run(['jupyter', 'run', f'--kernel={name}', self.path('script')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        self.assertNotEqual(done.returncode, 0)


class Manager(unittest.TestCase):
    """jupyter_client's kernel managers, blocking and asynchronous."""

    def test_restart_fifty_times_without_orphans(self):
        manager = jupyter_client.KernelManager(kernel_name=name)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            ports = manager.ports
            client.execute(samples['set'], reply=True, timeout=30)
            pids = set()
            for _ in range(50 if name != 'python3' else 3):
                manager.restart_kernel(now=False)
                client.wait_for_ready(timeout=60)
                pids.add(manager.provisioner.pid)
            self.assertEqual(manager.ports, ports)
            reply = client.execute(samples['get'], reply=True, timeout=30)['content']
            self.assertEqual((reply['status'], reply['execution_count']), ('error', 1), 'a restart forgets variables and counts anew')
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
        time.sleep(0.5)
        self.assertEqual([pid for pid in pids if os.path.exists(f'/proc/{pid}')], [])

    def test_kernel_ends_when_asked(self):
        manager = jupyter_client.KernelManager(kernel_name=name)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        provisioner = manager.provisioner
        process = provisioner.process
        client.stop_channels()
        manager.request_shutdown()
        self.assertEqual(process.wait(10), 0)
        manager.cleanup_resources()

    def test_kernel_ends_when_asked_during_an_endless_loop(self):
        manager = jupyter_client.KernelManager(kernel_name=name)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.execute(samples['loop'])
        time.sleep(0.5)
        process = manager.provisioner.process
        client.stop_channels()
        if name == 'python3':
            manager.shutdown_kernel(now=True)
            self.skipTest('the reference does not')
        manager.request_shutdown()
        self.assertEqual(process.wait(10), 0)
        manager.cleanup_resources()

    def test_async_manager(self):
        async def go():
            manager = jupyter_client.AsyncKernelManager(kernel_name=name)
            await manager.start_kernel()
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            said = []
            reply = await client.execute_interactive(samples['print'].format(9), output_hook=said.append, timeout=60)
            self.assertEqual(reply['content']['status'], 'ok')
            self.assertIn('9\n', [m['content'].get('text') for m in said])
            client.stop_channels()
            await manager.shutdown_kernel()
            self.assertFalse(await manager.is_alive())
        asyncio.run(go())

    def test_interrupt_through_the_manager(self):
        manager = jupyter_client.KernelManager(kernel_name=name)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            client.execute(samples['set'], reply=True, timeout=30)
            timer = threading.Timer(1.0, manager.interrupt_kernel)
            timer.start()
            said = []
            reply = client.execute_interactive(samples['loop'], output_hook=said.append, timeout=60, stop_on_error=False)
            self.assertEqual((reply['content']['status'], reply['content']['ename']), ('error', samples['interrupted']))
            reply = client.execute(samples['get'], reply=True, timeout=30)
            self.assertEqual(reply['content']['status'], 'ok')
        finally:
            client.stop_channels()
            manager.shutdown_kernel()


class Console(Files):
    def spawn(self, *args):
        child = pexpect.spawn('jupyter', ['console', '--simple-prompt', *OPTIONS, *args], encoding='utf-8', timeout=60, dimensions=(40, 200),
                              echo=False)
        self.addCleanup(child.close, force=True)
        child.expect(IN)
        return child

    def type(self, child, line, wanted):
        child.sendline(line)
        child.expect(IN)
        self.assertIn(wanted, child.before)

    def talk(self, child):
        self.type(child, samples['set'], '')
        self.type(child, samples['get'], '42')
        self.type(child, samples['print'].format(5), '5')
        self.type(child, samples['error'], samples['ename'])
        child.sendline(samples['input'].split('\n')[0])
        child.expect_exact('Who? ')
        child.sendline('Ann')
        child.expect(IN)
        self.type(child, samples['input'].split('\n')[1], 'Hello Ann')

    def end(self, child):
        child.sendeof()
        child.expect(pexpect.EOF)

    def test_console_with_a_kernel_of_its_own(self):
        child = self.spawn(f'--kernel={name}')
        self.talk(child)
        child.sendline(samples['loop'])
        time.sleep(1.5)
        child.sendintr()
        child.expect(samples['interrupted'])
        child.expect(IN)
        self.type(child, samples['get'], '42')
        self.end(child)

    def test_console_existing(self):
        with Kernel(kernelspec(name)['argv']) as kernel:
            kernel.client().ready(60)
            child = self.spawn(f'--existing={kernel.file}')
            self.talk(child)
            self.end(child)
            time.sleep(0.5)
            self.assertTrue(kernel.alive(), 'the kernel outlives the console')
            self.assertEqual(kernel.client().execute(samples['get']).result, '42')

    def full_prompt(self):
        """The prompt of prompt_toolkit, on a terminal that answers none of its questions."""
        child = pexpect.spawn('jupyter', ['console', *OPTIONS, f'--kernel={name}'], encoding='utf-8', timeout=60, dimensions=(40, 120),
                              env={**os.environ, 'TERM': 'xterm', 'PROMPT_TOOLKIT_NO_CPR': '1'})
        self.addCleanup(child.close, force=True)
        child.expect(r'In \[')
        time.sleep(1)
        return child

    def leave(self, child):
        child.sendcontrol('c')
        time.sleep(0.5)
        child.sendcontrol('d')
        child.expect(pexpect.EOF)

    def test_console_completes_on_tab(self):
        child = self.full_prompt()
        part, whole = samples['complete_tab']
        child.send(part)
        child.expect_exact(part[-1])
        child.send('\t')
        child.expect_exact(whole[len(part):])
        self.leave(child)

    def test_console_goes_on_asking_for_an_incomplete_cell(self):
        child = self.full_prompt()
        *lines, last = samples['multi_line']
        for line in lines:
            child.send(line.strip() + '\r')  # the console indents as the kernel tells it
            child.expect(r'\.\.\.')
        child.send(last.strip() + '\r')
        child.expect('line 1.*line 2')
        self.leave(child)


suite.main()
