"""The registers that the regulation keeps, each with its tables, operations and queries; `registry` makes them known."""
