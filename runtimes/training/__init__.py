"""What trainers share: the loop, packing, the chunked head and loss, checkpoints, the teacher's signals."""
