"""What is live: websockets for chat and for programs, event streams for pages. `docs/live.md` tells the whole of it.

`door` says who comes in, `tickets` lets programs in, `connection` is what sockets and streams share, `socket` and `stream`
are the two kinds, `watch` ends what has outlived its sign-in. An app's consumers.py builds on `socket.LiveSocket`; what a page
may follow on its stream is registered in `topics`.
"""
