"""Characters, costumes, LoRAs and reference pictures."""
