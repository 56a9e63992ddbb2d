"""Run as a script, because a spawned child imports its parent's main file: what copies of one condition make in worker processes, as JSON.

The first word says how workers start (fork, spawn), each further one what a copy knows: nothing, an epoch, a generator, or a torch DataLoader's
worker.
"""

import hashlib
import json
import multiprocessing
import sys
import types

import numpy as np

from roomtone.augment import Condition

RATE = 16000


def torch_worker(number, seed):
    """Stand in for torch inside a DataLoader's worker: its `get_worker_info` is all that is asked."""
    info = types.SimpleNamespace(id=number, seed=seed)
    sys.modules["torch.utils.data"] = types.SimpleNamespace(get_worker_info=lambda: info)


def hear(condition, worker, queue):
    if worker is not None:
        torch_worker(*worker)
    speech = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    queue.put([hashlib.sha256(condition(speech, RATE).tobytes()).hexdigest()[:12] for _ in range(2)])


def study(method, known):
    """Hashes of two renders each of two workers in two epochs [epoch][worker][call]."""
    context = multiprocessing.get_context(method)
    generator = np.random.default_rng(7) if known == "generator" else None
    condition = Condition("white@10dB", seed=3, generator=generator)
    found = []
    for epoch in range(2):
        if known == "epoch":
            condition.set_epoch(epoch)
        queues, workers = [], []
        for number in range(2):
            # torch draws a base seed for each epoch from its own generator and gives worker i that seed plus i
            worker = (number, 1000 * epoch + number) if known in ("torch", "epoch", "generator") else None
            queues.append(context.Queue())
            workers.append(context.Process(target=hear, args=(condition, worker, queues[-1])))
            workers[-1].start()
        found.append([queue.get(timeout=100) for queue in queues])
        for worker in workers:
            worker.join()
    return found


if __name__ == "__main__":
    print(json.dumps([study(sys.argv[1], known) for known in sys.argv[2:]]))
