"""The words of the engine: specs, records, state, events, outcomes; no disk, standard library only."""
