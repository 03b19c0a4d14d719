"""The infra room: the CloudFormation template and the deployer, which come with the deployment. Empty so far."""
