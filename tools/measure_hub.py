"""Measure what a class costs on one machine: a real JupyterHub on loopback, whose users open and run a chapter.

Prints the memory that a user takes, the time of the processor that the chapter takes, how long its cells take for one
user alone and for all at once, and from these what a larger class needs. Run it in an environment made as
`hub/Dockerfile` makes it, with configurable-http-proxy (of npm) on the path and psutil installed:

    PATH=.../node_modules/.bin:$PATH .../bin/python tools/measure_hub.py --users 20
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = "1_3_1_loss_function.ipynb"
CLASS = 200
READING = 40 * 60  # seconds in which a chapter is read
MIB = 2**20

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {{"PYTHONPATH": "{root}", "OPENBLAS_NUM_THREADS": "1", "PATH": "{path}"}}
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.services = [{{"name": "measure", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "measure", "services": ["measure"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Hub:
    """A hub of its own in a folder, and requests to it."""

    def __init__(self, folder):
        self.again = 0
        self.token, ports = secrets.token_hex(16), free_ports(3)
        self.address = f"127.0.0.1:{ports[0]}"
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        settings = {"folder": folder, "root": ROOT, "ports": ports, "token": self.token, "path": path}
        (folder / "config.py").write_text(CONFIG.format(**settings))
        command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
        with (folder / "hub.log").open("w") as log:
            environment = os.environ | {"PATH": path}
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    async def ask(self, path, method="GET", body=None):
        headers = {"Authorization": f"token {self.token}"}
        request = HTTPRequest(f"http://{self.address}{path}", method, headers, body, request_timeout=300)
        request.allow_nonstandard_methods = True
        return (await AsyncHTTPClient().fetch(request)).body

    async def ready(self):
        for _ in range(600):
            try:
                return await self.ask("/hub/api/")
            except (OSError, HTTPError):  # nobody listens yet, or only the proxy
                await asyncio.sleep(0.2)

    async def start(self, user):
        """Start a user's server; return the process."""
        await self.ask(f"/hub/api/users/{user}", "POST")
        await self.ask(f"/hub/api/users/{user}/server", "POST")
        while not (found := json.loads(await self.ask(f"/hub/api/users/{user}")))["servers"].get("", {}).get("ready"):
            await asyncio.sleep(0.2)
        return psutil.Process(found["servers"][""]["state"]["pid"])

    async def read(self, user):
        """Open the chapter and run its cells; return the seconds, with a second kernel if the first does not start."""
        start = time.perf_counter()
        try:
            await self.run(user, *await self.open(user))
        except HTTPError:
            self.again += 1
            await self.run(user, *await self.open(user))
        return time.perf_counter() - start

    async def open(self, user):
        """Do what a browser does to show a notebook, without the browser."""
        await self.ask(f"/user/{user}/lab/tree/{CHAPTER}")
        notebook = json.loads(await self.ask(f"/user/{user}/api/contents/{CHAPTER}"))["content"]
        kernel = json.loads(await self.ask(f"/user/{user}/api/kernels", "POST", "{}"))["id"]
        return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"], kernel

    async def run(self, user, sources, kernel):
        """Run the cells one after the other."""
        url, headers = f"ws://{self.address}/user/{user}/api/kernels/{kernel}/channels", {}
        headers["Authorization"] = f"token {self.token}"
        channels = await websocket_connect(HTTPRequest(url, headers=headers), max_message_size=2**28)
        for source in sources:
            name = uuid.uuid4().hex
            header = {
                "msg_id": name,
                "msg_type": "execute_request",
                "username": user,
                "session": name,
                "version": "5.3",
            }
            content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
            message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
            await channels.write_message(json.dumps(message))
            while True:
                answer = json.loads(await channels.read_message())
                if answer["msg_type"] == "execute_reply" and answer["parent_header"].get("msg_id") == name:
                    break
            assert answer["content"]["status"] == "ok", answer["content"]
        channels.close()


def memory(processes):
    """MiB of some processes and all that they started: their own, and their own with their part of what is shared."""
    whole = [p for process in processes for p in [process, *process.children(recursive=True)]]
    found = [p.memory_full_info() for p in whole]
    return sum(m.uss for m in found) / MIB, sum(m.pss for m in found) / MIB


def seconds_of(process):
    """What a process and all that it started have taken of a processor."""
    return sum(sum(p.cpu_times()[:2]) for p in [process, *process.children(recursive=True)])


async def measure(hub, folder, users):
    await hub.ready()
    for user in users:
        (folder / user).mkdir()
        shutil.copy(ROOT / "notebooks" / CHAPTER, folder / user)
    start = time.perf_counter()
    servers = await asyncio.gather(*map(hub.start, users))
    print(f"{len(users)} servers started in {time.perf_counter() - start:.0f} s")
    idle = memory(servers)[0] / len(users)
    print(f"a server, before anything is open: {idle:.0f} MiB of its own", flush=True)
    before = seconds_of(servers[0])
    alone = await hub.read(users[0])
    taken = seconds_of(servers[0]) - before
    print(f"{CHAPTER}: {alone:.1f} s for one user alone, {taken:.1f} s of a processor", flush=True)
    times = sorted(await asyncio.gather(*map(hub.read, users[1:])))
    print(f"{len(times)} users at once: {times[0]:.1f} to {times[-1]:.1f} s, median {times[len(times) // 2]:.1f} s")
    print(f"kernels that had to be started again: {hub.again}")
    own, part = (total / len(users) for total in memory(servers))
    hub_itself = memory([psutil.Process(hub.process.pid)])[0] - memory(servers)[0]
    print(f"a user with the chapter run: {own:.0f} MiB of its own, {part:.0f} with its part of what is shared")
    print(f"the hub and its proxy: {hub_itself:.0f} MiB")
    print(f"so {CLASS} users: {(CLASS * part + hub_itself) / 1024:.0f} GiB of memory;")
    print(f"    {CLASS * taken / READING:.1f} cores if each runs the chapter once in {READING // 60} minutes;")
    print(f"    all within a minute of each other: {CLASS * taken / 60:.0f} cores")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    users = [f"user{i}" for i in range(parser.parse_args().users)]
    AsyncHTTPClient.configure(None, max_clients=1000)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as name:
        hub = Hub(Path(name))
        try:
            asyncio.run(measure(hub, Path(name), users))
        except BaseException:
            print((Path(name) / "hub.log").read_text()[-3000:])
            raise
        finally:
            started = psutil.Process(hub.process.pid).children(recursive=True)
            hub.process.terminate()
            psutil.wait_procs([psutil.Process(hub.process.pid)], timeout=30)
            for process in psutil.wait_procs(started, timeout=10)[1]:
                process.kill()
    print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
