"""Kernel processes started by argv with a connection file, as a Jupyter client starts them. Always stopped by pid."""
import atexit
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import uuid

from wire import Client

_running = []


def free_ports(count):
    """Below those that systems give to outgoing connections, of which one may come before the kernel does."""
    ports = set()
    while len(ports) < count:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\0' * 8)
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
        ports.add(port)
    return list(ports)


def kernelspec(name):
    """The kernel.json of an installed kernelspec, as Jupyter finds it."""
    from jupyter_client.kernelspec import KernelSpecManager
    return KernelSpecManager().get_kernel_spec(name).to_dict()


class Kernel:
    def __init__(self, argv, env=None, cwd=None, **connection):
        self.dir = tempfile.mkdtemp(prefix='lk-')
        ports = free_ports(5)
        self.file = os.path.join(self.dir, 'kernel.json')
        self.connection = {'transport': 'tcp', 'ip': '127.0.0.1', 'key': uuid.uuid4().hex, 'signature_scheme': 'hmac-sha256', 'kernel_name': 'test',
                           **dict(zip(('shell_port', 'iopub_port', 'stdin_port', 'control_port', 'hb_port'), ports)), **connection}
        with open(os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600), 'w') as file:
            json.dump(self.connection, file)
        self.log = open(os.path.join(self.dir, 'log'), 'w+')
        self.began = time.perf_counter()
        self.process = subprocess.Popen([a.replace('{connection_file}', self.file) for a in argv], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, env={**os.environ, 'JPY_PARENT_PID': str(os.getpid()), **(env or {})}, cwd=cwd)
        self.pid = self.process.pid
        self.clients = []
        _running.append(self)

    def client(self, **more):
        client = Client(self.connection, alive=self.alive, **more)
        self.clients.append(client)
        return client

    def alive(self):
        return self.process.poll() is None

    def printed(self):
        self.log.flush()
        with open(self.log.name, errors='replace') as file:
            return file.read()

    def tree(self):
        """Its process and all descendants."""
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                with open(f'/proc/{pid}/task/{pid}/children') as file:
                    todo += [int(p) for p in file.read().split()]
            except OSError:
                pass
        return found

    def memory(self, field='VmRSS'):
        """Resident bytes of the whole tree; field 'Pss' divides shared pages among those who share them."""
        total = 0
        for pid in self.tree():
            try:
                with open(f'/proc/{pid}/{"smaps_rollup" if field == "Pss" else "status"}') as file:
                    total += next((int(line.split()[1]) * 1024 for line in file if line.startswith(field + ':')), 0)
            except OSError:
                pass
        return total

    def stop(self):
        tree = self.tree()
        for client in self.clients:
            client.close()
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        for pid in tree[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.log.close()
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)
        if self in _running:
            _running.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@atexit.register
def _stop_all():
    for kernel in list(_running):
        kernel.stop()
