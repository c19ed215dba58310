"""Running cases move to another version 迁移: a plan, its preview, and the batches that carry it out."""
