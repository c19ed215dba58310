"""What Camunda Modeler sends, recorded; see `recording.py`."""
