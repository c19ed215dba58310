"""`/engine-rest`: the REST API that clients of Camunda 7 and Operaton speak, one module per resource (docs/api.md)."""
