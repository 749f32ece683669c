"""The simulated Kubernetes: an API server over one store, and the controllers, scheduler and kubelets behind it."""
