"""The process kernel: it runs any BPMN diagram and knows nothing of data sharing."""
