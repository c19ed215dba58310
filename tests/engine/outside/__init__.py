"""Other programs: workers outside, webhooks."""
