"""The simulated AWS: one loopback port that speaks the protocols of STS, ECS, ECR, EKS, CloudWatch and their kin.

Nothing here imports an SDK. `values` and `wire` hold what the protocols share; each service is an `Api` whose
operations take `Params` and return what AWS's documentation calls the output, as plain dictionaries.
"""
