"""The demo town: fictional units, people and resources, and half a year of cases made by driving the engine itself."""
