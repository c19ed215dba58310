"""Removing 销毁 the record of cases whose time has come: proposed by one, approved by another, done case by case by the worker."""
