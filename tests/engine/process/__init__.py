"""Tests of the kernel, with an office of its own: it would run a leave request just as well."""
