"""Tests of `/engine-rest`."""
