"""One connection's life: bytes in, requests out, keep-alive, time-outs, and the hot path of kept answers."""
