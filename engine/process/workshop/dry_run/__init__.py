"""The dry run 试运行: a draft walked with the real engine on a virtual clock, in a transaction that is always undone."""
