"""The one door to SpiffWorkflow: no other package imports it."""
