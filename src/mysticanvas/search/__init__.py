"""Finding: language → tree → SQL, and snapshots to page through. Changes nothing."""
