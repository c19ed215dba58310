"""The back-test 回测: past cases replayed in memory against a draft, and where each would part from its record."""
