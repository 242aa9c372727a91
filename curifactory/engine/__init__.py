"""The engine: calls form a graph, which is planned, decided against traces, executed and committed."""
