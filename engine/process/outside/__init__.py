"""What other programs do with the engine: workers that carry out steps, answers that must not be given twice, events sent out."""
