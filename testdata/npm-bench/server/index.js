// The entry point of a tree that is packed and never run.
