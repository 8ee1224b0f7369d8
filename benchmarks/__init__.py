"""What the product costs beside doing the same work by hand: one year of quarter-hours, judged, summed and divided."""
