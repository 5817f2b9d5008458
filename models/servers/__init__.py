"""Model servers that wardround starts: vLLM in an environment of its own, or the embedded llama.cpp, each behind a
gate that lets only three routes through. Nothing here is imported by the chat models; a server is just an address."""
