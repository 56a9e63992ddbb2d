"""Where work is done: in this process, in a pool of processes, on a cluster; with limits and progress."""
