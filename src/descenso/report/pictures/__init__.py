"""Pictures of paths: one place computes, another draws; Matplotlib for files, Plotly for pages."""
