"""TLS for a program that has none: each bridge passes octets on between a plain connection and one over TLS."""

import asyncio
import ssl
import threading

from link_secure import tls_context


class TlsBridges:
    """Bridges in a thread of their own, from start() to close()."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.passed = 0   # connections that were taken
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def close(self):
        """Ends all connections."""
        async def end():
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=5) if tasks else None

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def from_plain(self, port, to, authority):
        """What connects to `port` goes on over TLS, to a server whose certificate `authority` vouches for."""
        self.serve(port, to, None, tls_context(authority))

    def from_tls(self, port, to, certificate, key):
        """What connects to `port` over TLS goes on in the clear."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.serve(port, to, context, None)

    def serve(self, port, to, own, theirs):
        async def taken(reader, writer):
            self.passed += 1
            try:
                far_reader, far_writer = await asyncio.open_connection(*to, ssl=theirs)
            except OSError:
                return writer.close()
            try:
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))
            except asyncio.CancelledError:
                return None

        asyncio.run_coroutine_threadsafe(asyncio.start_server(taken, "127.0.0.1", port, ssl=own), self.loop).result(10)


async def pass_on(reader, writer):
    """Octets from one to the other, until either ends."""
    try:
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
